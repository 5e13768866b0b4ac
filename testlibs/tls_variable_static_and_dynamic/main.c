#include "scenario.h"
int main(int argc, char **argv)
{
    (void)argc;
    int *(*address)(void) = must_sym(must_open("./libowner.so", RTLD_NOW), "address");
    *address() = 5;
    void *user = dlopen(argv[1], RTLD_NOW);
    if (!user) {
        say("%s", dlerror());
        return 0;
    }
    int *(*address_here)(void) = must_sym(user, "address_here");
    say("reads %d, same address %d", *address_here(), address_here() == address());
    return 0;
}
