/* repeat.c - `--interval`: reports at a steady beat, until somebody says stop. */
#include "views.h"
#include "../ldr.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <sys/select.h>
#include <time.h>

static volatile sig_atomic_t stopped;

static void stop(int signal) {
    (void)signal;
    stopped = 1;
}

/* The signals are blocked but while we sleep: a report is never cut in two, and none arrives between test and sleep. */
static void sleep_until(const struct timespec *due, const sigset_t *open) {
    while (!stopped) {
        struct timespec now, left;
        clock_gettime(CLOCK_MONOTONIC, &now);
        left.tv_sec = due->tv_sec - now.tv_sec;
        left.tv_nsec = due->tv_nsec - now.tv_nsec;
        if (left.tv_nsec < 0) {
            left.tv_sec--;
            left.tv_nsec += 1000000000;
        }
        if (left.tv_sec < 0)
            return;
        if (pselect(0, NULL, NULL, NULL, &left, open) == 0)
            return;
    }
}

static struct timespec later(struct timespec from, double seconds) {
    double whole = floor(seconds);
    from.tv_sec += (time_t)whole;
    from.tv_nsec += (long)((seconds - whole) * 1e9);
    if (from.tv_nsec >= 1000000000) {
        from.tv_sec++;
        from.tv_nsec -= 1000000000;
    }
    return from;
}

/* How bad, for the status of the whole: no target at one moment is no failure of the others. */
static int badness(int status) {
    switch (status) {
    case LDR_EXIT_OK: return 1;
    case LDR_EXIT_PARTIAL: return 2;
    case LDR_EXIT_NO_TARGET: return 0;
    default: return 3;
    }
}

int repeat_reports(const struct view_options *options, int (*once)(void *context, bool again, bool *stop), void *context) {
    bool end = false;
    if (options->interval_s == 0)
        return once(context, false, &end);
    struct sigaction action = { .sa_handler = stop };
    sigset_t block, open;
    sigemptyset(&block);
    sigaddset(&block, SIGINT);
    sigaddset(&block, SIGTERM);
    sigprocmask(SIG_BLOCK, &block, &open);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigdelset(&open, SIGINT);
    sigdelset(&open, SIGTERM);

    struct timespec due;
    clock_gettime(CLOCK_MONOTONIC, &due);
    int worst = LDR_EXIT_NO_TARGET;
    bool again = false;
    for (uint64_t made = 0; !stopped && !end; ) {
        int status = once(context, again, &end);
        if (badness(status) > badness(worst))
            worst = status;
        again |= status == LDR_EXIT_OK || status == LDR_EXIT_PARTIAL;
        if (fflush(stdout) != 0 || status == LDR_EXIT_FAILED || ++made == options->reports || end)
            break;
        /* a report that took longer than the interval is followed by one at the next beat, not by several at once */
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        do
            due = later(due, options->interval_s);
        while (due.tv_sec < now.tv_sec || (due.tv_sec == now.tv_sec && due.tv_nsec < now.tv_nsec));
        sleep_until(&due, &open);
    }
    return worst;
}
