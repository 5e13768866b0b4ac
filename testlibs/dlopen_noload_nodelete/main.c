#include "scenario.h"
int main(void)
{
    say("%d", dlopen("./liba.so", RTLD_LAZY | RTLD_NOLOAD) != NULL);
    say("%s", dlerror() ? "error" : "no error");
    void *a = must_open("./liba.so", RTLD_LAZY);
    void *again = must_open("./liba.so", RTLD_LAZY | RTLD_NOLOAD);
    dlclose(a);
    say("%d %d", a == again, is_mapped("/liba.so"));
    dlclose(again);
    say("%d", is_mapped("/liba.so"));
    dlclose(must_open("./libb.so", RTLD_NOW | RTLD_NODELETE));
    void *d = must_open("./libd.so", RTLD_NOW);
    must_open("./libd.so", RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
    dlclose(d);
    dlclose(d);
    dlclose(must_open("./libkept.so", RTLD_NOW));
    say("%d %d %d", is_mapped("/libb.so"), is_mapped("/libd.so"), is_mapped("/libkept.so"));
    return 0;
}
