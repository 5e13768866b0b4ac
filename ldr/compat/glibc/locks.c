/* locks.c - the loader's locks are libc's: mutexes in _rtld_global that dl_iterate_phdr and dladdr take too and fork makes anew. */
#include "glibc.h"

static void lock(u32 offset)
{
    if (glibc.ready && glibc_has(offset))
        glibc.mutex_lock(glibc.global + offset);
}
static void unlock(u32 offset)
{
    if (glibc.ready && glibc_has(offset))
        glibc.mutex_unlock(glibc.global + offset);
}
void shim_lock_load(void) { if (glibc.ready) lock(glibc.row->g_load_lock); }
void shim_unlock_load(void) { if (glibc.ready) unlock(glibc.row->g_load_lock); }
void shim_lock_write(void) { if (glibc.ready) lock(glibc.row->g_load_write_lock); }
void shim_unlock_write(void) { if (glibc.ready) unlock(glibc.row->g_load_write_lock); }
void shim_lock_tls(void) { if (glibc.ready) lock(glibc.row->g_load_tls_lock); }
void shim_unlock_tls(void) { if (glibc.ready) unlock(glibc.row->g_load_tls_lock); }

/* ---- fork ------------------------------------------------------------------------------------------------------------ */

/* A fork while another thread is loading would give the child half a load and, in its lists, a lock nobody holds. libc only makes the
 * locks anew. So wait for the other thread to finish, but not for ever: its constructor may be waiting for us. */
#define FORK_WAIT_MS 100
static bool fork_holds[3];

static u32 fork_lock_offset(u32 which)
{
    const struct glibc_layout *row = glibc.row;
    return which == 0 ? row->g_load_lock : which == 1 ? row->g_load_write_lock : row->g_load_tls_lock;
}

static void before_fork(void)
{
    u32 left = FORK_WAIT_MS;
    for (u32 which = 0; which < ARRAY_COUNT(fork_holds); which++) {
        u32 offset = fork_lock_offset(which);
        bool held = false;
        while (glibc_has(offset) && !(held = glibc.mutex_trylock(glibc.global + offset) == 0) && left) {
            u64 pause[2] = { 0, 1000000 };
            sys_call(__NR_nanosleep, (long)pause, 0, 0, 0, 0, 0);
            left--;
        }
        fork_holds[which] = held;
    }
}

static void after_fork_parent(void)
{
    bool holds[3];
    memcpy(holds, fork_holds, sizeof holds);            /* unlocked, another thread may fork and write it */
    for (u32 which = ARRAY_COUNT(holds); which-- > 0;)
        if (holds[which])
            glibc.mutex_unlock(glibc.global + fork_lock_offset(which));
}

#define MUTEX_KIND 16u                /* of pthread_mutex_t; 1: recursive */
static void after_fork_child(void)
{
    /* load and tls lock were made anew by libc; the write lock carries the parent's thread id as owner */
    char *mutex = glibc.global + glibc.row->g_load_write_lock;
    memset(mutex, 0, glibc.row->g_lock_size);
    GLIBC_AT(mutex, MUTEX_KIND, int) = 1;
}

void glibc_register_fork(void)
{
    int (*atfork)(void (*)(void), void (*)(void), void (*)(void), void *) =
        (int (*)(void (*)(void), void (*)(void), void (*)(void), void *))glibc_known(KNOWN_ATFORK);
    if (atfork)
        atfork(before_fork, after_fork_parent, after_fork_child, NULL);
}
