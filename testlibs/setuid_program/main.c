#include "scenario.h"
#include <sys/auxv.h>
const char *word(void);
int main(void)
{
    static const char *const names[] = { "LD_LIBRARY_PATH", "LD_PRELOAD", "LD_DEBUG", "LD_BIND_NOT", "LD_SHOW_AUXV", "GLIBC_TUNABLES", "MALLOC_CHECK_" };
    say("%s secure %d", word(), getauxval(AT_SECURE) != 0);
    for (int i = 0; i < 7; i++)
        if (getenv(names[i]))
            say("%s is set", names[i]);
    say("%s", secure_getenv("PATH") ? "visible" : "kept secret");
    return 0;
}
