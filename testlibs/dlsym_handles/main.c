#include "scenario.h"
int in_main(void) { return 0; }
int shared(void) { return 50; }
int in_one(void);
static void ask(const char *what, void *handle, const char *name)
{
    dlerror();
    int (*f)(void) = dlsym(handle, name);
    const char *error = dlerror();
    say("%s %s %d %s", what, name, f ? f() : -1, error ? error : "");
}
int main(void)
{
    void *self = dlopen(NULL, RTLD_NOW), *one = must_open("libone.so", RTLD_NOW), *opened = must_open("libopened.so", RTLD_NOW);
    ask("default", RTLD_DEFAULT, "shared");
    ask("default", RTLD_DEFAULT, "only_opened");
    ask("next", RTLD_NEXT, "shared");
    ask("next", RTLD_NEXT, "in_main");
    ask("self", self, "in_two");
    ask("self", self, "only_opened");
    ask("one", one, "shared");
    ask("one", one, "in_two");
    ask("one", one, "in_main");
    ask("opened", opened, "shared");
    ask("one", one, "next_of_one");
    ask("opened", opened, "default_seen");
    ask("opened", opened, "next_seen");
    ask("opened", opened, "printf_no_such");
    return in_one() - 1;
}
