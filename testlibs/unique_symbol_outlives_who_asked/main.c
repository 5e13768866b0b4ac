#include "scenario.h"
#include <sys/mman.h>
int main(void)
{
    void *first = must_open("./libfirst.so", RTLD_NOW);
    say("%d", ((int (*)(void))must_sym(first, "next"))());
    dlclose(first);
    say("first plugin mapped %d", is_mapped("/libfirst.so"));
    for (int i = 0; i < 64; i++) /* nothing readable where the first plugin was */
        mmap(NULL, 16 << 10, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    say("%d", ((int (*)(void))must_sym(must_open("./libsecond.so", RTLD_NOW), "next"))());
    return 0;
}
