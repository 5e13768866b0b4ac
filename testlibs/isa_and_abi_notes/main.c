#include "scenario.h"
int main(int argc, char **argv)
{
    void *handle = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
    say("%s", argc < 2 ? "main" : handle ? "opened" : dlerror());
    return 0;
}
