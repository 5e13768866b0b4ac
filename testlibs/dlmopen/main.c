#include "scenario.h"
int main(void)
{
    void *base = dlmopen(LM_ID_BASE, "./liba.so", RTLD_NOW);
    say("base %d %d", base != NULL, base == dlopen("./liba.so", RTLD_NOW | RTLD_NOLOAD));
    void *other = dlmopen(LM_ID_NEWLM, "./liba.so", RTLD_NOW);
    if (other)
        say("another copy %d", other != base);
    else
        say("another copy %d", dlerror() != NULL); /* refused, and said so */
    return 0;
}
