#include "scenario.h"
#include <pthread.h>
int global_count(void), local_count(void), initial_count(void), *global_address(void), *initial_address(void);
extern __thread int global_exported, initial_exported;
static __thread int mine = 1000;
static void *body(void *name)
{
    for (int i = 0; i < 2; i++)
        say("%s %d %d %d %d", (char *)name, global_count(), local_count(), initial_count(), mine++);
    global_exported = 7;
    say("%s %d %d %d", (char *)name, &global_exported == global_address(), &initial_exported == initial_address(), global_count());
    return NULL;
}
int main(void)
{
    pthread_t thread;
    body("main");
    for (int i = 0; i < 2; i++) {
        pthread_create(&thread, NULL, body, i ? "second" : "first");
        pthread_join(thread, NULL);
    }
    body("main");
    return 0;
}
