#include "scenario.h"
#include <pthread.h>
#include <sys/wait.h>
static volatile int stop;
static void *body(void *arg)
{
    while (!stop)
        dlclose(must_open("liba.so", RTLD_NOW));
    return arg;
}
int main(void)
{
    pthread_t threads[2];
    int good = 0;
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, body, NULL);
    for (int i = 0; i < 40; i++) {
        pid_t child = fork();
        if (child == 0) {
            alarm(2);
            void *a = must_open("liba.so", RTLD_LAZY);
            _exit(((int (*)(void))must_sym(a, "value"))() == 12 && dlclose(a) == 0 ? 0 : 1);
        }
        int status;
        waitpid(child, &status, 0);
        good += status == 0;
        if (status != 0)
            break;
    }
    stop = 1;
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    say("%d", good);
    return 0;
}
