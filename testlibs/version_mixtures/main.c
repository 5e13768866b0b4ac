#include "scenario.h"
int value(void);
int main(void)
{
    say("%d", value());
    say("%d", ((int (*)(void))must_sym(RTLD_DEFAULT, "value"))());
    return 0;
}
