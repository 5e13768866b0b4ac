#include "scenario.h"
#include <pthread.h>
extern int malloc_calls __attribute__((weak)), free_calls __attribute__((weak));
static void *body(void *arg) { free(strdup(arg)); return strdup("thread"); }
int main(void)
{
    int *calls = dlsym(RTLD_DEFAULT, "malloc_calls"), *frees = dlsym(RTLD_DEFAULT, "free_calls");
    int before = *calls, freed = *frees;
    char *text = strdup("text");
    free(text);
    say("%d %d", *calls - before, *frees - freed);
    FILE *file = fopen("/dev/null", "r");
    fclose(file);
    say("%d", *calls - before > 1);
    void *a = must_open("liba.so", RTLD_NOW);
    say("%s", ((const char *(*)(void))must_sym(a, "get"))());
    pthread_t thread;
    void *result;
    pthread_create(&thread, NULL, body, "argument");
    pthread_join(thread, &result);
    say("%s", (char *)result);
    dlclose(a);
    return 0;
}
