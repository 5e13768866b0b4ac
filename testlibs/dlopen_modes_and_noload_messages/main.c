#include "scenario.h"
static void try(const char *name, int mode, const char *mode_text)
{
    dlerror();
    void *handle = dlopen(name, mode);
    const char *error = dlerror();
    say("%s %s: %s, %s", name ? name : "NULL", mode_text, handle ? "handle" : "none", error ? error : "no error");
}
#define TRY(name, mode) try(name, mode, #mode)
int main(void)
{
    TRY("./libhere.so", 0);
    TRY("./libhere.so", RTLD_GLOBAL);
    TRY("./libhere.so", 7 | 0x10000);
    TRY("./libhere.so", 0x10000);
    TRY(NULL, 0);
    TRY("libnone.so", 0);
    TRY("libnone.so", RTLD_NOW | RTLD_NOLOAD);
    TRY("./libnone.so", RTLD_LAZY | RTLD_NOLOAD);
    TRY("./libhere.so", RTLD_NOW | RTLD_NOLOAD);
    TRY("./libhere.so", RTLD_NOW);
    TRY("./libhere.so", RTLD_NOW | RTLD_NOLOAD);
    TRY("./libhere.so", RTLD_NOLOAD);
    return 0;
}
