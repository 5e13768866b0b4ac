#include "scenario.h"
static void *kept;
static int times;
void keep(void *handle);
void keep(void *handle)
{
    kept = handle;
    say("reopened %d, time %d", handle != NULL, ++times);
}
int main(void)
{
    dlclose(must_open("./libclosed.so", RTLD_NOW));
    say("mapped %d", is_mapped("/libclosed.so"));
    if (kept)
        say("value %d", ((int (*)(void))must_sym(kept, "value"))());
    return 0;
}
