#include "scenario.h"
#include <pthread.h>
#include <sys/mman.h>
int use(void);
static void *body(void *depth)
{
    volatile char room[4000];
    room[0] = 1;
    room[sizeof room - 1] = 1;
    return (void *)(long)(use() + use() + room[0] + (depth ? 100 : 0));
}
int main(void)
{
    for (size_t size = 24 << 10; size <= 8 << 20; size = size < 64 << 10 ? 64 << 10 : size * 16) {
        char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        pthread_attr_t attr;
        pthread_t thread;
        void *result = NULL;
        pthread_attr_init(&attr);
        int set = pthread_attr_setstack(&attr, stack, size);
        int made = pthread_create(&thread, &attr, body, NULL);
        if (made == 0)
            pthread_join(thread, &result);
        say("%zu KiB: %d %d %ld", size >> 10, set, made, (long)result);
    }
    return 0;
}
