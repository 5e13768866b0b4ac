#include "scenario.h"
#include <pthread.h>
int check_64(void), check_1024(void);
static __thread int mine __attribute__((aligned(512))) = 6;
static int (*check_256)(void), (*check_4096)(void);
static void *body(void *arg)
{
    say("%d %d %d %d %d", check_64(), check_1024(), check_256(), check_4096(), (unsigned long)&mine % 512 == 0 && mine == 6);
    return arg;
}
int main(void)
{
    pthread_t thread;
    check_256 = must_sym(must_open("libt256.so", RTLD_NOW), "check_256");
    check_4096 = must_sym(must_open("libt4096.so", RTLD_NOW), "check_4096");
    body(NULL);
    for (int i = 0; i < 3; i++) {
        pthread_create(&thread, NULL, body, NULL);
        pthread_join(thread, NULL);
    }
    return 0;
}
