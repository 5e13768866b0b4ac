/* allowance.h - how often something that costs a watched program time may happen: some at once, and more as time goes by. */
#ifndef LDR_HOST_ALLOWANCE_H
#define LDR_HOST_ALLOWANCE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct allowance {
    unsigned left, most;
    uint64_t every;                   /* ns for one more */
    uint64_t filled;                  /* when it was last, ns of CLOCK_MONOTONIC; 0: nothing was taken yet */
};

static inline uint64_t clock_now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static inline struct allowance allowance_of(unsigned most, uint64_t every) {
    return (struct allowance){ most, most, every, 0 };
}

/* allowance_take - whether there was one left */
static inline bool allowance_take(struct allowance *allowance) {
    uint64_t now = clock_now(CLOCK_MONOTONIC);
    if (!allowance->filled)           /* not asked before: a program that takes none pays for no look at the clock */
        allowance->filled = now;
    uint64_t more = (now - allowance->filled) / allowance->every;
    allowance->filled += more * allowance->every;
    allowance->left = more >= allowance->most - allowance->left ? allowance->most : allowance->left + (unsigned)more;
    bool was = allowance->left != 0;
    allowance->left -= was;
    return was;
}

#endif
