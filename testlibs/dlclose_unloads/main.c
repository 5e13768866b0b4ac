#include "scenario.h"
static void mapped(void)
{
    say("mapped: one %d two %d base %d", is_mapped("/libone.so"), is_mapped("/libtwo.so"), is_mapped("/libbase.so"));
}
int main(void)
{
    void *one = must_open("libone.so", RTLD_NOW), *again = must_open("libone.so", RTLD_NOW), *two = must_open("libtwo.so", RTLD_NOW);
    say("%d", one == again);
    dlclose(one);
    mapped();
    dlclose(one);
    mapped();
    dlclose(two);
    mapped();
    one = must_open("libone.so", RTLD_NOW);
    mapped();
    dlclose(one);
    mapped();
    one = must_open("libone.so", RTLD_NOW);
    return 0;
}
