/* no_dlopen.c - libdw would open a library that asks a server for debug files; here it finds none (rules.mk gives its calls these names). */
void *crash_no_dlopen(const char *name, int mode);
void *crash_no_dlsym(void *handle, const char *name);
int crash_no_dlclose(void *handle);

void *crash_no_dlopen(const char *name, int mode) { return (void)name, (void)mode, (void *)0; }
void *crash_no_dlsym(void *handle, const char *name) { return (void)handle, (void)name, (void *)0; }
int crash_no_dlclose(void *handle) { return (void)handle, 0; }
