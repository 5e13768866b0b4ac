#include "scenario.h"
#include <pthread.h>
static void *body(void *number)
{
    static const char *const names[] = { "liba1.so", "liba2.so", "liba3.so", "liba4.so" };
    long bad = 0;
    for (int i = 0; i < 150; i++) {
        int which = (int)((long)number + i) % 4;
        void *handle = must_open(names[which], i % 2 ? RTLD_NOW : RTLD_LAZY);
        bad += ((int (*)(int))must_sym(handle, "use"))(10) != 10 * (which + 1);
        bad += dlclose(handle) != 0;
    }
    return (void *)bad;
}
int main(void)
{
    pthread_t threads[4];
    long bad = 0;
    for (long i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, body, (void *)i);
    for (int i = 0; i < 4; i++) {
        void *result;
        pthread_join(threads[i], &result);
        bad += (long)result;
    }
    say("%ld %d", bad, is_mapped("/liba") || is_mapped("/libbase"));
    return 0;
}
