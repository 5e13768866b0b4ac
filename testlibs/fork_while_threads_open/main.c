#include "scenario.h"
#include <pthread.h>
#include <sys/wait.h>
static volatile int stop;
int value(void), other(int);
static void *body(void *arg)
{
    while (!stop)
        dlclose(must_open("libopened.so", RTLD_NOW));
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
            alarm(5); /* both calls are bound here for the first time; only async-signal-safe work besides */
            if (value() != 12 || other(i) != 2 * i)
                _exit(1);
            if (i % 4 == 0)
                execl("./small", "small", (char *)NULL);
            _exit(0);
        }
        int status;
        waitpid(child, &status, 0);
        good += status == 0;
    }
    stop = 1;
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    say("%d", good);
    return 0;
}
