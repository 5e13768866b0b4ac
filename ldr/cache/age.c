/* age.c - how long places once drawn may serve. Counted on the clock since boot, which nobody can set; read only where there is a limit. */
#include "cache_private.h"

#define CLOCK_SINCE_BOOT 7            /* CLOCK_BOOTTIME */

u64 age_now(void)
{
    u64 now;
    return sys_clock(CLOCK_SINCE_BOOT, &now) == 0 ? now / 1000000000u : 0;
}

u64 age_limit(void)
{
    return session.config.cache_max_age ? cache_seconds(session.config.cache_max_age) : AGE_NONE;
}

u64 age_to_record(void)
{
    u64 limit = age_limit();
    return limit == AGE_NONE ? 0 : limit;
}

bool age_agrees(u64 born, u64 limit)
{
    u64 own = age_limit();
    limit = own < limit ? own : limit;
    if (limit == AGE_NONE)
        return true;
    u64 now = age_now();
    return now >= born && now - born < limit;      /* from the future: another clock's, so of no known age */
}
