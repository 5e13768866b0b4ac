#include "scenario.h"
void probe(const char *where);
void probe(const char *where)
{
    say("%s: above %d below %d", where, dlsym(RTLD_DEFAULT, "above") != NULL, dlsym(RTLD_DEFAULT, "below") != NULL);
}
int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        must_open("./libabove.so", RTLD_NOW | RTLD_LOCAL);
        probe("opened local");
    }
    must_open("./libabove.so", RTLD_NOW | RTLD_GLOBAL);
    probe("opened global");
    return 0;
}
