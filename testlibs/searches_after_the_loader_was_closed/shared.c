#include "scenario.h"
void *next(const char *name) { return dlsym(RTLD_NEXT, name); }
void *open_here(const char *name) { return dlopen(name, RTLD_NOW); }
