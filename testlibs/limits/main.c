#include "scenario.h"
#include <sys/resource.h>
static void attempt(const char *when)
{
    void *handle = dlopen("./libbig.so", RTLD_NOW);
    if (!handle)
        say("%s: %s", when, dlerror());
    else {
        say("%s: %d", when, ((int (*)(void))must_sym(handle, "value"))());
        dlclose(handle);
    }
}
int main(void)
{
    struct rlimit memory = { 500 << 20, RLIM_INFINITY }, files = { 3, 1000 }, no_limit = { RLIM_INFINITY, RLIM_INFINITY };
    attempt("free");
    setrlimit(RLIMIT_AS, &memory);
    attempt("500 MiB");
    setrlimit(RLIMIT_AS, &no_limit);
    setrlimit(RLIMIT_NOFILE, &files);
    attempt("no descriptor");
    files.rlim_cur = 100;
    setrlimit(RLIMIT_NOFILE, &files);
    attempt("free again");
    return 0;
}
