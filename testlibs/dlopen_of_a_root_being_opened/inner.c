#include "scenario.h"
__attribute__((constructor)) static void begin(void)
{
    say("inner begins");
    void *root = dlopen("./libroot.so", RTLD_NOW);
    say("inner ends, root %s", root ? "opened" : dlerror());
}
__attribute__((destructor)) static void end(void) { say("-inner"); }
