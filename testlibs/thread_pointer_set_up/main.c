#include "scenario.h"
#include <pthread.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <errno.h>
static unsigned long guards(int which)
{
    unsigned long canary, pointer;
    __asm__("mov %%fs:0x28, %0\n mov %%fs:0x30, %1" : "=r"(canary), "=r"(pointer));
    return which ? pointer : canary;
}
static pthread_mutex_t mutex;
static unsigned long first[2];
static void *body(void *arg)
{
    pthread_attr_t attr;
    void *low;
    size_t size;
    pthread_getattr_np(pthread_self(), &attr);
    pthread_attr_getstack(&attr, &low, &size);
    const struct rseq *rseq = (void *)((char *)__builtin_thread_pointer() + __rseq_offset);
    void *robust = NULL;
    size_t robust_len = 0;
    syscall(SYS_get_robust_list, 0, &robust, &robust_len);
    say("in stack %d, self %d, rseq %d %u, robust %d %zu", (char *)&attr > (char *)low && (char *)&attr < (char *)low + size,
        *(void **)__builtin_thread_pointer() == __builtin_thread_pointer() && (void *)pthread_self() == __builtin_thread_pointer(),
        (int)rseq->cpu_id >= 0, __rseq_size, robust != NULL, robust_len);
    say("canary %d low byte %d guard %d same %d", guards(0) != 0, (int)(guards(0) & 255), guards(1) != 0,
        !arg || (guards(0) == first[0] && guards(1) == first[1]));
    if (arg)
        pthread_mutex_lock(&mutex);
    return arg;
}
int main(void)
{
    pthread_t thread;
    pthread_mutexattr_t attr;
    first[0] = guards(0);
    first[1] = guards(1);
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&mutex, &attr);
    body(NULL);
    pthread_create(&thread, NULL, body, "thread");
    pthread_join(thread, NULL);
    say("owner died %d", pthread_mutex_lock(&mutex) == EOWNERDEAD);
    say("ids %d %d", gettid() == getpid(), pthread_kill(pthread_self(), 0));
    return 0;
}
