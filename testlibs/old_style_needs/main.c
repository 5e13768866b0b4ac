#include "scenario.h"
#include <math.h>
#include <pthread.h>
#include <time.h>
int read_local(void);
void *its_tls_get_addr(void);
static void *body(void *arg) { return (char *)arg + 1; }
int main(void)
{
    pthread_t thread;
    void *result;
    volatile double two = 2;
    struct timespec now;
    pthread_create(&thread, NULL, body, (void *)41);
    pthread_join(thread, &result);
    say("%d %.3f %ld", read_local(), sqrt(two) + pow(two, 10), (long)result);
    say("%d", its_tls_get_addr() == dlsym(RTLD_DEFAULT, "__tls_get_addr"));
    int failed = clock_gettime(CLOCK_MONOTONIC, &now);
    say("%d %d", failed, now.tv_sec + now.tv_nsec > 0);
    void *libdl = must_open("libdl.so.2", RTLD_NOW | RTLD_NOLOAD), *linker = dlopen("ld-linux-x86-64.so.2", RTLD_NOW | RTLD_NOLOAD);
    say("%d %d", libdl != NULL, linker != NULL);
    say("%d", dlsym(libdl, "dlopen") == dlsym(RTLD_DEFAULT, "dlopen"));
    return 0;
}
