#include "scenario.h"
#define VALUE "_ZN6holderIiE5valueE"
int main(int argc, char **argv)
{
    (void)argv;
    void *a = must_open("./liba.so", RTLD_LAZY | RTLD_LOCAL), *b = must_open("./libb.so", RTLD_LAZY | RTLD_LOCAL);
    int (*in_a)(void) = must_sym(a, "next"), (*in_b)(void) = must_sym(b, "next");
    if (argc > 1)
        say("b called: %d", in_b());
    say("the same through both handles: %d", must_sym(b, VALUE) == must_sym(a, VALUE));
    in_a();
    say("after a's call b gives %d", in_b());
    say("value %d %d", *(int *)must_sym(a, VALUE), *(int *)must_sym(b, VALUE));
    return 0;
}
