#include "scenario.h"
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
void JOIN(open_from_, NAME)(const char *who)
{
    void *handle = dlopen("libword.so", RTLD_NOW);
    say("%s: %s", who, handle ? ((const char *(*)(void))must_sym(handle, "word"))() : dlerror());
    if (handle)
        dlclose(handle);
}
