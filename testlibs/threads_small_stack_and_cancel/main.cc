#include "scenario.h"
#include <limits.h>
#include <pthread.h>
extern "C" int first(int), second(double, double);
static __thread char block[2000];
static void *small(void *arg) { block[1999] = 1; return (void *)(long)(first(4) + second(2, 3) + block[1999]); }
static void cleanup(void *word) { say("cleanup %s", (char *)word); }
struct Guard { ~Guard() { say("guard unwound"); } };
static void *waits(void *word)
{
    Guard guard;
    pthread_cleanup_push(cleanup, word);
    for (;;)
        pause();
    pthread_cleanup_pop(0);
    return nullptr;
}
static void *detached(void *flag) { __atomic_store_n((int *)flag, 1, __ATOMIC_SEQ_CST); return nullptr; }
int main()
{
    pthread_attr_t attr;
    pthread_t thread;
    void *result;
    int done = 0;
    pthread_attr_init(&attr);
    say("%d", pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN));
    say("%d", pthread_create(&thread, &attr, small, nullptr));
    pthread_join(thread, &result);
    say("%ld", (long)result);
    pthread_create(&thread, nullptr, waits, (void *)"word");
    usleep(1000);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    say("%d", result == PTHREAD_CANCELED);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, 1 << 20);
    pthread_create(&thread, &attr, detached, &done);
    while (!__atomic_load_n(&done, __ATOMIC_SEQ_CST))
        usleep(100);
    say("%d", done);
}
