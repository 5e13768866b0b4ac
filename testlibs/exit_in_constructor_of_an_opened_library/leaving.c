#include "scenario.h"
__attribute__((constructor)) static void begin(void)
{
    say("+leaving");
    exit(3);
}
__attribute__((destructor)) static void end(void) { say("-leaving"); }
