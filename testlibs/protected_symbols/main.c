#include "scenario.h"
int sum(void);
int guarded(void) { return 2; }
int guarded_data = 20;
int secret(void) { return 200; }
int open_to_all(void) { return 2000; }
int main(void)
{
    void *a = must_open("liba.so", RTLD_NOW);
    say("%d %d %s", sum(), ((int (*)(void))must_sym(a, "guarded"))(), dlsym(a, "secret") ? "visible" : "hidden");
    return 0;
}
