/* opener.c FILE - opens, asks, calls and closes a library. 3: the linker refused and dlerror says why. 4: loads, answers wrongly.
 * 6: refused without words. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>

static int refused(void)
{
    const char *why = dlerror();
    if (!why || !*why)
        return 6;
    fprintf(stderr, "%s\n", why);
    return 3;
}

int main(int argc, char **argv)
{
    (void)argc;
    for (int again = 0; again < 2; again++) {
        void *lib = dlopen(argv[1], RTLD_LAZY);
        if (!lib)
            return refused();
        /* One after the other: a call that succeeds forgets the failure before it. */
        int (*sum)(void) = (int (*)(void))dlsym(lib, "victim_sum");
        if (!sum)
            return refused();
        int *tls = dlsym(lib, "victim_tls");
        if (!tls)
            return refused();
        int *data = dlsym(lib, "victim_data");
        if (!data)
            return refused();
        Dl_info info;
        dladdr((void *)sum, &info);
        int right = sum() == 24 && *tls == 5 && data[1] == 2;
        if (!right)
            return 4;
        dlclose(lib);
    }
    return 0;
}
