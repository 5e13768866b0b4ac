#include "scenario.h"
int value(void);
int main(void)
{
    say("%d", value());
    must_open("./libglobal.so", RTLD_NOW);
    int (*found)(void) = dlsym(RTLD_DEFAULT, "only_global");
    say("%d", found ? found() : -1);
    return 0;
}
