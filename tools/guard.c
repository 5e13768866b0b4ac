/* guard.c - see guard.h. */
#include "guard.h"
#include "ldr.h"

#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static _Thread_local sigjmp_buf *volatile way_out;

static void on_bus_error(int number) {
    static const char text[] = "ldr: a file was cut short while it was read\n";
    (void)number;
    if (way_out)
        siglongjmp(*way_out, 1);
    ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
    (void)written;
    _exit(LDR_EXIT_FAILED);
}

void guard_start(void) {
    /* not blocked while it is handled: siglongjmp restores no mask, which would cost a system call for each guarded() */
    struct sigaction action = { .sa_handler = on_bus_error, .sa_flags = SA_NODEFER };
    sigaction(SIGBUS, &action, NULL);
}

bool guarded(void (*work)(void *context), void *context) {
    sigjmp_buf here, *volatile before = way_out;
    bool good = sigsetjmp(here, 0) == 0;
    if (good) {
        way_out = &here;
        work(context);
    }
    way_out = before;
    return good;
}
