#include "scenario.h"
int main(void)
{
    static const char *const names[] = { "memcpy", "memmove", "memset", "strlen", "strchr", "strcmp", "memchr", "strcpy", "wcslen", "strcasecmp", "time", "gettimeofday" };
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        Dl_info info;
        void *address = must_sym(RTLD_DEFAULT, names[i]);
        int known = dladdr(address, &info);
        if (known && strstr(info.dli_fname, "libc.so"))
            say("%s at %lx of libc", names[i], (long)((char *)address - (char *)info.dli_fbase));
        else
            say("%s in %s", names[i], known && strstr(info.dli_fname, "vdso") ? "the vDSO" : "?");
    }
    say("caches %ld %ld %ld line %ld", sysconf(_SC_LEVEL1_DCACHE_SIZE), sysconf(_SC_LEVEL2_CACHE_SIZE), sysconf(_SC_LEVEL3_CACHE_SIZE), sysconf(_SC_LEVEL1_DCACHE_LINESIZE));
    say("minsigstksz %ld thread stack min %ld", sysconf(_SC_MINSIGSTKSZ), sysconf(_SC_THREAD_STACK_MIN));
    return 0;
}
