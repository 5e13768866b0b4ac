#include "scenario.h"
#include <thread>
extern "C" void use();
int main()
{
    auto late = (void (*)())must_sym(must_open("liblate.so", RTLD_NOW | RTLD_LOCAL), "use");
    std::thread([&] { use(); late(); use(); say("thread ends"); }).join();
    std::thread([&] { late(); use(); }).join();
    use();
    say("main ends");
}
