#include "scenario.h"
int main(void)
{
    void *provider = must_open("./libprovider.so", RTLD_NOW | RTLD_GLOBAL);
    void *user = must_open("./libuser.so", RTLD_NOW);
    dlclose(provider);
    say("bound: %d %d", is_mapped("/libprovider.so"), ((int (*)(void))must_sym(user, "ask"))());
    dlclose(user);
    say("user gone: %d", is_mapped("/libprovider.so"));
    provider = must_open("./libprovider.so", RTLD_NOW | RTLD_GLOBAL);
    user = must_open("./liblazy.so", RTLD_LAZY);
    say("lazily: %d", ((int (*)(void))must_sym(user, "ask"))());
    dlclose(provider);
    say("bound: %d %d", is_mapped("/libprovider.so"), ((int (*)(void))must_sym(user, "ask"))());
    dlclose(user);
    say("user gone: %d", is_mapped("/libprovider.so"));
    return 0;
}
