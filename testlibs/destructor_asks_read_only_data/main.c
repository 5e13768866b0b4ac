#include "scenario.h"
int main(int argc, char **argv)
{
    (void)argv;
    say("main");
    if (argc > 1)
        dlclose(must_open("libother.so", RTLD_NOW));
    return 3;
}
