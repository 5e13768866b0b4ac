/* beside.c - writing images in a process of its own: a copy of this one at the moment before constructors run, so everything stands still
 * in it while the program goes on.
 *
 * Hardly anybody notices it: it is not the program's child (a short-lived one in between makes it an orphan), sends no signal, holds none of
 * the program's files, pipes or terminals open. Where orphans would come back to the program itself (process 1 of a container, a
 * subreaper), the work is done at once instead. A subreaper above the program gets the orphan. */
#include "cache_private.h"

#include <linux/prctl.h>
#include <linux/sched.h>

#define WAIT_ALL 0x40000000           /* __WALL: also children that send no signal */

static bool orphans_come_here(void)
{
    int reaper = 0;
    return sys_getpid() == 1 || (sys_call(__NR_prctl, PR_GET_CHILD_SUBREAPER, (long)&reaper, 0, 0, 0, 0) == 0 && reaper);
}

static void close_range(u32 first, u32 last)
{
    if (first <= last)
        sys_call(__NR_close_range, first, last, 0, 0, 0, 0);
}

/* Keeps the directory and the lock. */
static void close_others(void)
{
    u32 a = (u32)cache.dir, b = (u32)cache.lock;
    u32 low = a < b ? a : b, high = a < b ? b : a;
    if (low)
        close_range(0, low - 1);
    close_range(low + 1, high - 1);
    close_range(high + 1, ~0u);
}

/* The process in between shares our memory and stops us until it has ended (as vfork does), so only one copy is made. */
NOINLINE static bool start_orphan(void)
{
    long between = sys_call(__NR_clone, CLONE_VM | CLONE_VFORK, 0, 0, 0, 0, 0);
    if (between == 0) {
        long orphan = sys_call(__NR_clone, 0, 0, 0, 0, 0, 0);
        if (orphan == 0) {
            /* Out of the program's session too: no signal of its terminal, no shell that waits for its group. */
            sys_call(__NR_setsid, 0, 0, 0, 0, 0, 0);
            sys_call(__NR_prctl, PR_SET_NAME, (long)"ldr-cache", 0, 0, 0, 0);
            sys_call(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0, 0);
            close_others();
            make_all();
        }
        sys_exit(orphan < 0);
    }
    int status = 1;
    if (between > 0)
        sys_call(__NR_wait4, between, (long)&status, WAIT_ALL, 0, 0, 0);
    return between > 0 && status == 0;
}

enum beside make_beside(void)
{
    if (orphans_come_here())
        return BESIDE_HERE;
    return start_orphan() ? BESIDE_STARTED : BESIDE_NOT;
}
