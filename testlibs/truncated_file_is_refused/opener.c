#include "scenario.h"
int main(int argc, char **argv)
{
    (void)argc;
    void *handle = dlopen(argv[1], RTLD_NOW);
    say("%s", handle ? "opened" : strstr(dlerror(), "libgood.so: file too short") ? "file too short" : "another error");
    say("%d", is_mapped("/libgood.so"));
    return 0;
}
