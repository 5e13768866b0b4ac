#include "scenario.h"
int main(void)
{
    void *a = must_open("./liba.so", RTLD_NOW | RTLD_LOCAL), *b = must_open("./libb.so", RTLD_NOW | RTLD_LOCAL);
    int *(*in_a)(void) = must_sym(a, "address"), *(*in_b)(void) = must_sym(b, "address");
    *in_a() = 77;
    say("%d %d", in_a() == in_b(), *in_b());
    dlclose(b);
    dlclose(a);
    say("%d %d", is_mapped("/liba.so"), is_mapped("/libb.so"));
    a = must_open("./liba.so", RTLD_NOW);
    in_a = must_sym(a, "address");
    say("%d", *in_a());
    return 0;
}
