#include "scenario.h"
int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        void *handle = dlopen(argv[i], RTLD_NOW);
        if (!handle)
            say("%s", dlerror());
        else
            say("%s %d", argv[i], ((int (*)(void))must_sym(handle, "check"))());
    }
    return 0;
}
