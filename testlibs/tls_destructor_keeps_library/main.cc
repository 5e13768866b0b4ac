#include "scenario.h"
#include <thread>
int main()
{
    void *handle = must_open("./liblate.so", RTLD_NOW);
    std::thread([&] {
        ((void (*)())must_sym(handle, "use"))();
        say("close %d", dlclose(handle));
        say("mapped %d", is_mapped("/liblate.so"));
    }).join();
    void *other = must_open("./liblate.so", RTLD_NOW);
    dlclose(other);
    say("mapped %d", is_mapped("/liblate.so"));
    return 0;
}
