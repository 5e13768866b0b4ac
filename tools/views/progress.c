/* progress.c - says on standard error how far a long report is. */
#include "views.h"
#include "../ldr.h"

#include <time.h>
#include <unistd.h>

enum { FIRST_S = 1, EVERY_S = 10 };

static struct { double start, last; bool drawn; } state;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

void progress_start(void) {
    state.start = now();
    state.last = 0;
    state.drawn = false;
}

void progress_step(const char *what, size_t done, size_t all) {
    double time = now();
    bool terminal = isatty(STDERR_FILENO);
    if (state.start == 0 || time - state.start < FIRST_S || (state.last && time - state.last < (terminal ? 1 : EVERY_S)))
        return;
    state.last = time;
    if (terminal) {
        fprintf(stderr, "\r\033[K%s: %zu of %zu (%.0f s)", what, done, all, time - state.start);
        fflush(stderr);
        state.drawn = true;
    } else {
        warn_ldr("%s: %zu of %zu (%.0f s)", what, done, all, time - state.start);
    }
}

void progress_end(void) {
    if (state.drawn)
        fputs("\r\033[K", stderr);
    state.start = 0;
    state.drawn = false;
}
