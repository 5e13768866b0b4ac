#include "scenario.h"
int value(void);
int main(void)
{
    say("%d %d", value(), ((int (*)(void))must_sym(RTLD_DEFAULT, "value"))());
    const char *names[] = { "V1", "V2", "V3", "V4" };
    for (int i = 0; i < 4; i++) {
        int (*f)(void) = dlvsym(RTLD_DEFAULT, "value", names[i]);
        const char *error = f ? NULL : dlerror();
        say("%s %d %s", names[i], f ? f() : 0, error ? error : "");
    }
    return 0;
}
