/* newcomers.c - A stop for each new thread costs about as much as making and joining one. So a process has some to spend, and gets more as time
 * goes by; when they are spent, the threads that are made next are younger than a search's pause, or seized. A search costs a fiftieth of its
 * pause at most, however many threads there are. */
#include "newcomers.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>

enum { STOPS = 8, STOP_EVERY = 100000000 /* ns */, PAUSE_MIN = 16000000, PAUSE_MAX = 64000000, SHARE = 50 };

static volatile sig_atomic_t due;

static void set_due(int number) {
    (void)number;
    due = 1;
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

void newcomers_begin(struct newcomers *newcomers, bool every) {
    *newcomers = (struct newcomers){ .every = every, .stops = STOPS, .filled = now(), .pause = PAUSE_MIN };
}

static void next_search(struct newcomers *newcomers) {
    const struct timespec pause = { .tv_sec = (time_t)(newcomers->pause / 1000000000u), .tv_nsec = (long)(newcomers->pause % 1000000000u) };
    /* again and again: a signal between newcomers_due and the wait interrupts nothing */
    const struct itimerspec times = { .it_interval = pause, .it_value = pause };
    timer_settime(newcomers->timer, 0, &times, NULL);
}

/* false: no timer is to be had, so none may be left to a search */
static bool begin_seeking(struct newcomers *newcomers) {
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
    struct sigaction action = { .sa_handler = set_due };      /* no SA_RESTART: a wait shall end */
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    if (sigaction(SIGRTMIN, &action, NULL) != 0 || sigprocmask(SIG_UNBLOCK, &set, NULL) != 0 || timer_create(CLOCK_MONOTONIC, &event, &newcomers->timer) != 0)
        return false;
    next_search(newcomers);
    return true;
}

void newcomers_end(struct newcomers *newcomers) {
    if (newcomers->sought)
        timer_delete(newcomers->timer);
    newcomers->sought = false;
}

bool newcomers_told(struct newcomers *newcomers) {
    uint64_t more = (now() - newcomers->filled) / STOP_EVERY;
    newcomers->filled += more * STOP_EVERY;
    newcomers->stops = newcomers->stops + more > STOPS ? STOPS : newcomers->stops + (unsigned)more;
    if (newcomers->stops)
        newcomers->stops--;
    if (newcomers->every || newcomers->stops)
        return true;
    if (!newcomers->sought)
        newcomers->sought = begin_seeking(newcomers);
    return !newcomers->sought;
}

bool newcomers_due(void) {
    bool was = due;
    due = 0;
    return was;
}

void newcomers_seek(struct newcomers *newcomers, pid_t pid, unsigned long options) {
    char path[32];
    uint64_t begun = now(), least;
    bool found = false;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    for (struct dirent *entry; tasks && (entry = readdir(tasks));) {
        pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
        /* refused for those that are seized already, and those that end just now */
        found |= thread > 0 && ptrace(PTRACE_SEIZE, thread, 0, options) == 0;
    }
    if (tasks)
        closedir(tasks);
    newcomers->pause = found ? PAUSE_MIN : newcomers->pause * 2 > PAUSE_MAX ? PAUSE_MAX : newcomers->pause * 2;
    least = (now() - begun) * SHARE;
    if (newcomers->pause < least)
        newcomers->pause = least;
    next_search(newcomers);
}
