#include "scenario.h"
int main(void)
{
    static char name[4096];
    void *p = must_open("./libp.so", RTLD_NOW), *q = must_open("./libq.so", RTLD_NOW);
    void *(*next)(const char *) = must_sym(q, "next"), *(*open_here)(const char *) = must_sym(q, "open_here");
    void *far = open_here("libfar.so");
    say("far %s", far ? "found" : "refused");
    dlclose(far);
    dlclose(p);
    say("p mapped %d", is_mapped("/libp.so"));
    for (int len = 200; len < 4000; len += 50) { /* whatever the linker kept of p is overwritten by texts of errors */
        memset(name, 'A', (size_t)len);
        dlopen(name, RTLD_NOW);
    }
    say("next %s", next("no_such_function") ? "found" : dlerror());
    say("puts %d", next("puts") == (void *)puts);
    say("opened %s", open_here("libnone.so") ? "found" : dlerror());
    say("far %s", open_here("libfar.so") ? "found" : "refused");
    return 0;
}
