#include "scenario.h"
int word(void);
int main(int argc, char **argv)
{
    void *again = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
    say("%d %s", word(), argc < 2 ? "" : again ? "opened" : dlerror());
    return 0;
}
