/* life.c - see life.h. */
#include "life.h"
#include "proc.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

uint64_t life_number(pid_t task, enum life_number which) {
    struct text stat = { 0 };
    int proc = proc_open(task);
    uint64_t number = 0;
    if (proc >= 0 && proc_read(proc, "stat", &stat) == 0) {
        /* the second field is a name in brackets, which may hold anything */
        const char *at = strrchr(stat.bytes, ')');
        for (int i = 2; at && i < (int)which; i++)
            at = strchr(at + 1, ' ');
        if (at)
            number = strtoull(at, NULL, 10);
    }
    if (proc >= 0)
        close(proc);
    text_free(&stat);
    return number;
}

static uint64_t now(clockid_t clock) {
    struct timespec time;
    return clock_gettime(clock, &time) == 0 ? (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec : 0;
}

uint64_t life_start(pid_t pid) {
    uint64_t ticks = life_number(pid, LIFE_START), hertz = (uint64_t)sysconf(_SC_CLK_TCK);
    return ticks && hertz ? now(CLOCK_REALTIME) - now(CLOCK_BOOTTIME) + ticks * (1000000000u / hertz) : UINT64_MAX;
}
