/* signals.c - signals N: takes N SIGSEGV, each of which its handler recovers from, and computes a little between them. */
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>

static sigjmp_buf back;
static void recover(int number) { siglongjmp(back, number); }

int main(int argc, char **argv) {
    struct sigaction action = { .sa_handler = recover, .sa_flags = SA_NODEFER };
    volatile long left = argc > 1 ? strtol(argv[1], NULL, 10) : 0, sum = 0;
    sigaction(SIGSEGV, &action, NULL);
    for (; left > 0; left--) {
        if (!sigsetjmp(back, 0))
            *(volatile int *)8 = 1;
        for (int i = 0; i < 2000; i++)
            sum += i;
    }
    return 0;
}
