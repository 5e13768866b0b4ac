/* life.c - see life.h. */
#include "life.h"
#include "proc.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The text of a field of its stat file; NULL: there is none. What it points into is `stat`'s, to be freed. */
static const char *field(pid_t task, int which, struct text *stat) {
    int proc = proc_open(task);
    const char *at = NULL;
    if (proc >= 0 && proc_read(proc, "stat", stat) == 0) {
        /* the second field is a name in brackets, which may hold anything */
        at = strrchr(stat->bytes, ')');
        for (int i = 2; at && i < which; i++)
            at = strchr(at + 1, ' ');
    }
    if (proc >= 0)
        close(proc);
    return at;
}

uint64_t life_number(pid_t task, enum life_number which) {
    struct text stat = { 0 };
    const char *at = field(task, (int)which, &stat);
    uint64_t number = at ? strtoull(at, NULL, 10) : 0;
    text_free(&stat);
    return number;
}

char life_state(pid_t task) {
    enum { STATE = 3 };
    struct text stat = { 0 };
    const char *at = field(task, STATE, &stat);
    char state = at && at[0] == ' ' ? at[1] : '\0';
    text_free(&stat);
    return state;
}

bool life_is_traced(pid_t task) {
    static const char LINE[] = "\nTracerPid:";
    struct text status = { 0 };
    int proc = proc_open(task);
    const char *tracer = proc >= 0 && proc_read(proc, "status", &status) == 0 ? strstr(status.bytes, LINE) : NULL;
    bool traced = tracer && strtol(tracer + sizeof LINE - 1, NULL, 10) != 0;
    if (proc >= 0)
        close(proc);
    text_free(&status);
    return traced;
}

static uint64_t now(clockid_t clock) {
    struct timespec time;
    return clock_gettime(clock, &time) == 0 ? (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec : 0;
}

uint64_t life_start(pid_t pid) {
    uint64_t ticks = life_number(pid, LIFE_START), hertz = (uint64_t)sysconf(_SC_CLK_TCK);
    return ticks && hertz ? now(CLOCK_REALTIME) - now(CLOCK_BOOTTIME) + ticks * (1000000000u / hertz) : UINT64_MAX;
}
