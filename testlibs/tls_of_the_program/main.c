#include "scenario.h"
#include <pthread.h>
int global_read(void), initial_read(void), desc_read(void);
extern __thread char library_block[64];
__thread int in_program = 100, table[8] = { [3] = 3000, [7] = 70000 };
static void *body(void *arg)
{
    int global = global_read(), initial = initial_read(), desc = desc_read();
    say("%d %d %d %d", global, initial, desc, in_program);
    say("%c%c", library_block[5], library_block[63]);
    say("%d", dlsym(RTLD_DEFAULT, "in_program") == (void *)&in_program);
    return arg;
}
int main(void)
{
    pthread_t thread;
    body(NULL);
    pthread_create(&thread, NULL, body, NULL);
    pthread_join(thread, NULL);
    return 0;
}
