#include "scenario.h"
#include <pthread.h>
static volatile int rounds;
static int visit(struct dl_phdr_info *info, size_t size, void *data) { (void)info, (void)size; return ++*(int *)data > 1000; }
static void *opens(void *arg)
{
    for (;;) {
        void *m = dlopen("libresolv.so.2", RTLD_NOW);
        if (m)
            dlclose(m);
        rounds++;
    }
    return arg;
}
static void *walks(void *arg)
{
    for (int n = 0;; n = 0)
        dl_iterate_phdr(visit, &n);
    return arg;
}
static void bye(void) { say("atexit"); }
int main(void)
{
    pthread_t threads[3];
    atexit(bye);
    pthread_create(&threads[0], NULL, opens, NULL);
    pthread_create(&threads[1], NULL, opens, NULL);
    pthread_create(&threads[2], NULL, walks, NULL);
    while (rounds < 50)
        usleep(100);
    exit(9);
}
