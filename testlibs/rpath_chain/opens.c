#include "scenario.h"
const char *open_leaf(void);
int main(void)
{
    const char *inside = open_leaf();
    say("%s %d", inside, dlopen("libleaf.so", RTLD_NOW | RTLD_NOLOAD) != NULL);
    return 0;
}
