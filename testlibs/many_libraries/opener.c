#include "scenario.h"
int main(void)
{
    for (int i = 0; i < 2; i++) {
        void *first = must_open("libn1.so", i ? RTLD_NOW : RTLD_LAZY);
        say("%ld", ((long (*)(long))must_sym(first, "value1"))(0));
        dlclose(first);
        say("%d", is_mapped("/libn1") || is_mapped("/libn77"));
    }
    return 0;
}
