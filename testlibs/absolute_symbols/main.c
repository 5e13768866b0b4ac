#include "scenario.h"
extern char constant[], small[];
extern char *pointer_to_constant;
int main(void)
{
    void *a = must_open("liba.so", RTLD_NOW);
    say("%lx %ld %lx", (long)constant, (long)small, (long)pointer_to_constant);
    say("%lx", (long)must_sym(a, "constant"));
    return 0;
}
