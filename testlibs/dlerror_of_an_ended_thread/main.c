#include "scenario.h"
#include <pthread.h>
static void *leaves_one(void *arg)
{
    dlopen("libnone.so", RTLD_NOW);
    return arg;
}
static void *reads(void *arg)
{
    const char *text = dlerror();
    say("%s", text ? text : "clean");
    return arg;
}
static void run(void *(*body)(void *))
{
    pthread_t thread;
    pthread_create(&thread, NULL, body, NULL);
    pthread_join(thread, NULL);
}
int main(void)
{
    for (int i = 0; i < 3; i++) {
        run(leaves_one);
        run(reads);
    }
    reads(NULL);
    return 0;
}
