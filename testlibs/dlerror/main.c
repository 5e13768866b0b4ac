#include "scenario.h"
#include <pthread.h>
static void *body(void *arg)
{
    say("thread: %s", dlerror() ? "sees another's error" : "clean");
    dlopen("libnone2.so", RTLD_LAZY);
    say("thread: %s", dlerror());
    dlopen("libnone3.so", RTLD_LAZY);
    return arg;
}
int main(void)
{
    pthread_t thread;
    say("%s", dlerror() ? "error" : "clean");
    dlopen("libnone1.so", RTLD_LAZY);
    pthread_create(&thread, NULL, body, NULL);
    pthread_join(thread, NULL);
    say("%s", dlerror());
    say("%s", dlerror() ? "error" : "clean");
    dlsym(RTLD_DEFAULT, "no_such_symbol");
    dlsym(RTLD_DEFAULT, "another_missing");
    say("%s", dlerror());
    dlopen("libnone1.so", RTLD_LAZY);
    dlopen(NULL, RTLD_LAZY);
    say("%s", dlerror() ? "error" : "cleared by success");
    dlopen("libnone1.so", 0);
    say("%s", dlerror());
    return 0;
}
