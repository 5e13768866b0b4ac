#include "scenario.h"
#include <sys/auxv.h>
__attribute__((constructor)) static void begin(void)
{
    if (getauxval(AT_SECURE)) /* the programs on the way here preload it too */
        say("preloaded, uid 0: %d", geteuid() == 0);
}
