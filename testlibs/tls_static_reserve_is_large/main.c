#include "scenario.h"
#include <pthread.h>
static int (*use[17])(void);
static void *body(void *name)
{
    long sum = 0;
    for (int i = 1; i <= 16; i++)
        sum += use[i]() + use[i]();
    say("%s %ld", (char *)name, sum);
    return NULL;
}
int main(void)
{
    pthread_t thread;
    char name[32];
    for (int i = 1; i <= 16; i++) {
        sprintf(name, "libs%d.so", i);
        use[i] = must_sym(must_open(name, RTLD_NOW), "use");
    }
    body("main");
    pthread_create(&thread, NULL, body, "thread");
    pthread_join(thread, NULL);
    return 0;
}
