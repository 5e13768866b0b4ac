#include "scenario.h"
int gnu_10(void), sysv_27(void), both_59(void);
int from_program(void) { return 1000; }
int main(void)
{
    say("%d %d %d", gnu_10(), sysv_27(), both_59());
    const char *styles[] = { "gnu", "sysv", "both" };
    for (int s = 0; s < 3; s++) {
        int found = 0, sum = 0;
        char name[64];
        for (int i = 0; i < 100; i++) {
            sprintf(name, "%s_%d", styles[s], i);
            int (*f)(void) = dlsym(RTLD_DEFAULT, name);
            if (f) {
                found++;
                sum += f();
            }
        }
        void *lib = must_open(strcat(strcat(strcpy(name, "lib"), styles[s]), ".so"), RTLD_NOW);
        say("%s %d %d %d %d", styles[s], found, sum, dlsym(lib, "no_such") != NULL, dlsym(lib, "") != NULL);
    }
    return 0;
}
