#include "scenario.h"
#include <sys/mman.h>
int main(void)
{
    say("bad %s", dlopen("./libbad.so", RTLD_NOW) ? "opened" : "refused");
    say("bad mapped %d", is_mapped("/libbad.so"));
    for (int i = 0; i < 64; i++) /* nothing readable where the bad one was */
        mmap(NULL, 16 << 10, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int (*next)(void) = must_sym(must_open("./libgood.so", RTLD_NOW), "next");
    next();
    say("%d", next());
    return 0;
}
