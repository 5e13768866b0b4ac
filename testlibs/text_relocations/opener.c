#include "scenario.h"
int main(void)
{
    void *a = must_open(NAME, RTLD_NOW);
    int (*answer)(void) = must_sym(a, "answer");
    say("%d %s", answer(), page_rights((void *)answer));
    dlclose(a);
    return 0;
}
