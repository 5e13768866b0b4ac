#include "scenario.h"
#ifndef TARGET
#define TARGET "libinner.so"
#endif
__attribute__((constructor)) static void begin(void)
{
    say("open %s", TARGET);
    void *handle = must_open(TARGET, RTLD_NOW);
    say("opened");
    must_open(TARGET, RTLD_NOW);
    dlclose(handle);
}
__attribute__((destructor)) static void end(void) { say("end of who opened %s", TARGET); dlclose(must_open(TARGET, RTLD_NOW)); }
