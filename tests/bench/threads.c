/* threads.c - threads N: makes N threads that do nothing, one after the other. */
#include <pthread.h>
#include <stdlib.h>

static void *nothing(void *arg) { return arg; }

int main(int argc, char **argv) {
    for (long left = argc > 1 ? strtol(argv[1], NULL, 10) : 0; left > 0; left--) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, nothing, NULL) != 0)
            return 1;
        pthread_join(thread, NULL);
    }
    return 0;
}
