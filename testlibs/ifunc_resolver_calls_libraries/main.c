#include "scenario.h"
int picked(void);
int main(void)
{
    say("%d", picked());
    say("%d", ((int (*)(void))must_sym(must_open("liblate.so", RTLD_NOW), "picked"))());
    return 0;
}
