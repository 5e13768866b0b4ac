/* hold.c - see hold.h. */
#include "hold.h"
#include "life.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <time.h>

enum { ROUND = 100000 /* ns */, ROUNDS_HOLD = 3000, ROUNDS_KILLED = 10000, SEARCHES = 8 };

/* t: a stop for its tracer; T: stopped as a job; the others have ended. */
static bool stands(char state) { return state == 't' || state == 'T' || state == 'Z' || state == 'X' || !state; }

typedef bool each_other(pid_t thread, void *arg);

/* How many of the other threads `each` is true of. */
static size_t count_others(pid_t pid, pid_t but, each_other *each, void *arg) {
    char path[32];
    size_t count = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    for (struct dirent *entry; tasks && (entry = readdir(tasks));) {
        pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
        count += thread > 0 && thread != but && each(thread, arg);
    }
    if (tasks)
        closedir(tasks);
    return count;
}

static bool runs_still(pid_t thread, void *unseized) {
    if (stands(life_state(thread)))
        return false;
    if (ptrace(PTRACE_INTERRUPT, thread, 0, 0) != 0)
        ++*(size_t *)unseized;
    return true;
}

static bool waits_for_us(pid_t thread, void *arg) {
    (void)arg;
    return life_state(thread) == 't';
}

static void one_round(void) {
    const struct timespec round = { .tv_nsec = ROUND };
    nanosleep(&round, NULL);
}

void hold_others(pid_t pid, pid_t but, struct newcomers *newcomers, unsigned long options) {
    int searches = 0;
    size_t unseized = 0;
    for (int i = 0; i < ROUNDS_HOLD && count_others(pid, but, runs_still, &unseized); i++, unseized = 0)
        if (unseized && newcomers->sought && searches++ < SEARCHES)
            newcomers_seek(newcomers, pid, options);
        else
            one_round();
}

void hold_until_killed(pid_t pid, pid_t but) {
    size_t held = count_others(pid, but, waits_for_us, NULL);
    for (int i = 0; i < ROUNDS_KILLED && held && count_others(pid, but, waits_for_us, NULL) == held; i++)
        one_round();
}
