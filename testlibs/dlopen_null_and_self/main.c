#include "scenario.h"
int a(void);
int main(void)
{
    void *self = dlopen(NULL, RTLD_NOW), *named = must_open("liba.so", RTLD_NOW);
    say("%d %d", self == dlopen("", RTLD_NOW), self == named);
    say("%d", named == must_open("./liba.so", RTLD_NOW));
    say("%d", named == must_open("./libalias.so", RTLD_NOW));
    say("%d", named == must_open("sub/libhard.so", RTLD_NOW));
    say("%d", named == must_open("sub/..//./liba.so", RTLD_NOW));
    say("%d", dlsym(self, "a") == (void *)a);
    say("%d", dlclose(self));
    return a() - 1;
}
