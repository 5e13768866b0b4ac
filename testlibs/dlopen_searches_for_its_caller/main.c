#include "scenario.h"
void open_from_a(const char *), open_from_b(const char *);
int main(void)
{
    open_from_a("a");
    open_from_b("b");
    setenv("LD_LIBRARY_PATH", "in_main", 1);
    open_from_b("b again");
    void *handle = dlopen("libword.so", RTLD_NOW);
    say("main: %s", handle ? ((const char *(*)(void))must_sym(handle, "word"))() : dlerror());
    return 0;
}
