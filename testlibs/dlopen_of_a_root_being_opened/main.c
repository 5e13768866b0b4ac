#include "scenario.h"
int main(void)
{
    void *root = must_open("./libroot.so", RTLD_NOW);
    say("main");
    dlclose(root);
    say("mapped %d", is_mapped("/libroot.so"));
    return 0;
}
