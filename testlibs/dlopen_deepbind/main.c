#include "scenario.h"
int value(void) { return 7; }
int helped(void) { return 9; }
int main(int argc, char **argv)
{
    for (int deep = 0; deep < 2; deep++) {
        void *a = must_open("./liba.so", RTLD_NOW | (deep ? RTLD_DEEPBIND : 0));
        say("%d", ((int (*)(void))must_sym(a, "ask"))());
        dlclose(a);
    }
    (void)argc, (void)argv;
    return 0;
}
