#include "scenario.h"
#include <pthread.h>
static void *a;
static void *body(void *arg)
{
    int *found = must_sym(a, "local");
    say("%d %d", *found, found == ((int *(*)(void))must_sym(a, "local_address"))());
    *found += 1;
    return arg;
}
int main(void)
{
    pthread_t thread;
    a = must_open("./liba.so", RTLD_NOW);
    body(NULL);
    pthread_create(&thread, NULL, body, NULL);
    pthread_join(thread, NULL);
    body(NULL);
    int (*indirect)(void) = must_sym(a, "indirect");
    say("%d %d", indirect(), indirect == ((int (*(*)(void))(void))must_sym(a, "view"))());
    dlerror();
    void *zero = dlsym(a, "zero");
    say("%d %s", zero == NULL, dlerror() ? "error" : "no error");
    return 0;
}
