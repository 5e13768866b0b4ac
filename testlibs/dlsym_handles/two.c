#include "scenario.h"
#ifdef OPENED
int only_opened(void) { return 33; }
int shared(void) { return 300; }
int default_seen(void) { return ((int (*)(void))must_sym(RTLD_DEFAULT, "shared"))(); }
int next_seen(void) { dlerror(); return dlsym(RTLD_NEXT, "shared") ? 1 : dlerror() != NULL ? -1 : -2; }
#else
int in_two(void) { return 2; }
int shared(void) { return 200; }
int a_null __attribute__((weak));
#endif
