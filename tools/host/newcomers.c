/* newcomers.c - A stop for each new thread costs about as much as making and joining one. So a process has some to spend, and gets more as time
 * goes by; when they are spent, the threads that are made next are younger than a search's pause, or seized. A search costs a hundredth of its
 * pause at most, however many threads there are.
 *
 * PTRACE_SEIZE waits for an execve of that process to end, and an execve waits until the other threads' ends were taken by who watches them:
 * by us. So a try to seize is left when it has lasted from one signal of the timer to the next. The kernel would begin it anew after a
 * handler that returns, so the handler jumps. */
#include "newcomers.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <unistd.h>

enum { STOPS = 8, STOP_EVERY = 100000000 /* ns */, PAUSE_MIN = 16000000, PAUSE_MAX = 64000000, SHARE = 100 };

static volatile sig_atomic_t due, trying /* to seize */, tries, tries_seen;
static sigjmp_buf no_further;

static void at_tick(int number) {
    (void)number;
    due = 1;
    if (trying && tries == tries_seen)
        siglongjmp(no_further, 1);
    tries_seen = tries;
}

void newcomers_begin(struct newcomers *newcomers, bool every) {
    *newcomers = (struct newcomers){ .every = every, .stops = allowance_of(STOPS, STOP_EVERY), .pause = PAUSE_MIN };
}

static void tick_every(const struct newcomers *newcomers, uint64_t ns) {
    const struct timespec pause = { .tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u) };
    /* again and again: a signal between newcomers_due and the wait interrupts nothing */
    const struct itimerspec times = { .it_interval = pause, .it_value = pause };
    timer_settime(newcomers->timer, 0, &times, NULL);
}

static void mask_ticks(int how) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(how, &set, NULL);
}

/* false: no timer is to be had, so none may be left to a search */
static bool begin_seeking(struct newcomers *newcomers) {
    /* this thread, not any of the process: it is the one that waits, and the one to jump */
    struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN, ._sigev_un._tid = gettid() };
    /* no SA_RESTART: a wait shall end; SA_NODEFER: a handler that jumps leaves nothing blocked */
    struct sigaction action = { .sa_handler = at_tick, .sa_flags = SA_NODEFER };
    if (sigaction(SIGRTMIN, &action, NULL) != 0 || timer_create(CLOCK_MONOTONIC, &event, &newcomers->timer) != 0)
        return false;
    mask_ticks(SIG_UNBLOCK);
    tick_every(newcomers, newcomers->pause);
    return true;
}

void newcomers_hold(const struct newcomers *newcomers, bool hold) {
    if (newcomers->sought)
        mask_ticks(hold ? SIG_BLOCK : SIG_UNBLOCK);
}

void newcomers_wait(void) {
    const struct timespec pause = { .tv_nsec = PAUSE_MAX };
    if (!due)                         /* one that comes just now is missed, for one pause */
        nanosleep(&pause, NULL);
}

void newcomers_end(struct newcomers *newcomers) {
    if (newcomers->sought)
        timer_delete(newcomers->timer);
    newcomers->sought = false;
}

bool newcomers_sought(struct newcomers *newcomers) {
    if (!newcomers->sought)
        newcomers->sought = begin_seeking(newcomers);
    return newcomers->sought;
}

bool newcomers_told(struct newcomers *newcomers) {
    return newcomers->every || allowance_take(&newcomers->stops) || !newcomers_sought(newcomers);
}

bool newcomers_due(void) {
    bool was = due;
    due = 0;
    return was;
}

enum tried { SEIZED, REFUSED /* seized already, or ends just now */, STUCK };

static enum tried seize(pid_t thread, unsigned long options) {
    if (sigsetjmp(no_further, 0) != 0) {
        trying = 0;
        return STUCK;
    }
    tries = tries + 1;
    trying = 1;
    bool seized = ptrace(PTRACE_SEIZE, thread, 0, options) == 0;
    trying = 0;
    return seized ? SEIZED : REFUSED;
}

bool newcomers_seek(struct newcomers *newcomers, pid_t pid, unsigned long options) {
    char path[32];
    /* its own work: not what it stood still, on a machine with much else to do */
    uint64_t begun = clock_now(CLOCK_THREAD_CPUTIME_ID), least;
    bool found = false, stuck = false;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    tick_every(newcomers, PAUSE_MIN);
    DIR *tasks = opendir(path);
    for (struct dirent *entry; !stuck && tasks && (entry = readdir(tasks));) {
        pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
        enum tried tried = thread > 0 ? seize(thread, options) : REFUSED;
        found |= tried == SEIZED;
        stuck = tried == STUCK;
    }
    if (tasks)
        closedir(tasks);
    newcomers->pause = stuck ? PAUSE_MAX : found ? PAUSE_MIN : newcomers->pause * 2 > PAUSE_MAX ? PAUSE_MAX : newcomers->pause * 2;
    least = (clock_now(CLOCK_THREAD_CPUTIME_ID) - begun) * SHARE;
    if (newcomers->pause < least)
        newcomers->pause = least;
    tick_every(newcomers, newcomers->pause);
    due = 0;                          /* what ticked meanwhile */
    return found;
}
