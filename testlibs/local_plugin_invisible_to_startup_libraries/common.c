#include "scenario.h"
void *find(const char *name) { return dlsym(RTLD_DEFAULT, name); }
__attribute__((weak)) int from_plugin(void);
int sees_weakly(void) { return from_plugin != NULL; }
