#include "scenario.h"
static int asked(const char *name)
{
    void *user = must_open(name, RTLD_NOW);
    int result = ((int (*)(void))must_sym(user, "ask"))();
    dlclose(user);
    return result;
}
int main(void)
{
    void *local = must_open("./libprovider.so", RTLD_NOW | RTLD_LOCAL);
    say("local: %d %d", asked("./libuser.so"), dlsym(RTLD_DEFAULT, "provided") != NULL);
    void *promoted = must_open("./libprovider.so", RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD);
    say("promoted: %d %d %d", promoted == local, asked("./libuser.so"), dlsym(RTLD_DEFAULT, "provided") != NULL);
    dlclose(promoted);
    say("still: %d", asked("./libuser.so"));
    dlclose(local);
    say("closed: %d %d", asked("./libuser.so"), is_mapped("/libprovider.so"));
    return 0;
}
