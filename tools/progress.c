/* progress.c - a thread that wakes once a second and says how far the others are.
 *
 * A thread and not a check between two steps: one step (a process of hundreds of gigabytes) may take longer than all others.
 */
#include "progress.h"
#include "ldr.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { EVERY_S = 10 }; /* where lines are not written over one another */

static struct {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool running, end, drawn;
    _Atomic(const char *) what;
    atomic_size_t done, all;
} progress = { .lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER };

/* False while there is nothing to tell. */
static bool tell(unsigned seconds, bool terminal) {
    const char *what = progress.what;
    if (!what)
        return false;
    if (!terminal) {
        warn_ldr("%s: %zu of %zu (%u s)", what, (size_t)progress.done, (size_t)progress.all, seconds);
        return true;
    }
    fprintf(stderr, "\r\033[K%s: %zu of %zu (%u s)", what, (size_t)progress.done, (size_t)progress.all, seconds);
    fflush(stderr);
    progress.drawn = true;
    return true;
}

static void *watch(void *unused) {
    (void)unused;
    bool terminal = isatty(STDERR_FILENO);
    struct timespec due;
    clock_gettime(CLOCK_REALTIME, &due);
    pthread_mutex_lock(&progress.lock);
    for (unsigned seconds = 1, next = 1; !progress.end; seconds++) {
        due.tv_sec++;
        while (!progress.end && pthread_cond_timedwait(&progress.ended, &progress.lock, &due) != ETIMEDOUT)
            ;
        if (!progress.end && seconds >= next && tell(seconds, terminal))
            next = seconds + (terminal ? 1 : EVERY_S);
    }
    pthread_mutex_unlock(&progress.lock);
    return NULL;
}

void progress_start(void) {
    progress.end = progress.drawn = false;
    progress.what = NULL;
    /* without the thread the report is silent, nothing else */
    progress.running = pthread_create(&progress.thread, NULL, watch, NULL) == 0;
}

void progress_phase(const char *what, size_t all) {
    progress.done = 0;
    progress.all = all;
    progress.what = what;
}

void progress_step(void) { progress.done++; }

void progress_end(void) {
    if (!progress.running)
        return;
    pthread_mutex_lock(&progress.lock);
    progress.end = true;
    pthread_cond_signal(&progress.ended);
    pthread_mutex_unlock(&progress.lock);
    pthread_join(progress.thread, NULL);
    progress.running = false;
    if (progress.drawn)
        fputs("\r\033[K", stderr);
}
