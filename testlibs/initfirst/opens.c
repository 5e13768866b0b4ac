#include "scenario.h"
__attribute__((constructor)) static void begin(void)
{
    say("opens begins");
    must_open("libplain.so", RTLD_NOW);
    say("opens ends");
}
