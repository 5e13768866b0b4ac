#include "scenario.h"
int main(void)
{
    say("main");
    void *second = must_open("libsecond.so", RTLD_NOW);
    dlclose(second);
    say("%d", is_mapped("/libthird.so"));
    return 0;
}
