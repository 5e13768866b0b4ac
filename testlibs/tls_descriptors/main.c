#include "scenario.h"
#include <pthread.h>
#ifndef OPEN
int count(void), has_absent(void), registers_kept(long *);
#endif
static void *body(void *arg)
{
#ifdef OPEN
    static void *a, *registers;
    if (!a) {
        a = must_open("liba.so", RTLD_NOW);
        registers = must_open("libregisters.so", RTLD_LAZY);
    }
    int (*count)(void) = must_sym(a, "count"), (*has_absent)(void) = must_sym(a, "has_absent");
    int (*registers_kept)(long *) = must_sym(registers, "registers_kept");
#endif
    long value;
    int first = registers_kept(&value), again = registers_kept(&value);
    int one = count(), two = count();
    say("%d %d %ld %d %d %d", first, again, value, one, two, has_absent());
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
