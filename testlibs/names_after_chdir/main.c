#include "scenario.h"
static void attempt(const char *name)
{
    void *handle = dlopen(name, RTLD_NOW);
    say("%s: %s", name, handle ? ((const char *(*)(void))must_sym(handle, "word"))() : dlerror());
    if (handle)
        dlclose(handle);
}
int main(void)
{
    for (int i = 0; i < 2; i++) {
        attempt("libnear.so");
        attempt("./libnear.so");
        attempt("libfar.so");
        attempt("sub/libfar.so");
        if (i == 0 && chdir("sub") != 0)
            return 1;
        setenv("LD_LIBRARY_PATH", "/nonexistent", 1);
    }
    return 0;
}
