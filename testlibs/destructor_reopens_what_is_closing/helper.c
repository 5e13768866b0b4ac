#include "scenario.h"
void keep(void *handle);
__attribute__((destructor)) static void end(void)
{
    say("helper ends");
    keep(dlopen("./libclosed.so", RTLD_NOW));
}
