#include "scenario.h"
volatile int begun, ready;
int is_ready(void) { return ready; }
__attribute__((constructor)) static void begin(void)
{
    begun = 1;
    void *self = must_open("libslow.so", RTLD_NOW);
    say("inside %d", ((int (*)(void))must_sym(self, "is_ready"))());
    dlclose(self);
    usleep(100000);
    ready = 1;
}
