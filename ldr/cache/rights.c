/* rights.c - whose rights this process has, and with whose a record for everybody is made. */
#include "cache_private.h"

#define NOBODY 65534

bool is_plain_user(void)
{
    if (store_user() == 0)
        return true;
    struct { u32 version; int pid; } head = { 0x20080522, 0 };
    struct { u32 effective, permitted, inheritable; } data[2] = { { 0 } };
    return sys_call(__NR_capget, (long)&head, (long)data, 0, 0, 0, 0) == 0 && !data[0].permitted && !data[1].permitted;
}

/* The saved ids stay root's, for the way back. Group first on the way down, user first on the way up: both need root. */
static bool become_user(long id)
{
    return sys_call(__NR_setresuid, id, id, 0, 0, 0, 0) == 0;
}
static bool become_group(long id)
{
    return sys_call(__NR_setresgid, id, id, 0, 0, 0, 0) == 0;
}

static bool is_for_others(void) { return cache.store != STORE_USER && store_user() == 0; }

bool is_for_all(const struct stat *st)
{
    return cache.store == STORE_USER || (st->st_uid == 0 && !(st->st_mode & 0022)) || cache_miss("an object's file is not root's, or others may write to it", "");
}

bool become_nobody(const char *program)
{
    if (!is_for_others())
        return true;
    if (sys_call(__NR_setgroups, 0, 0, 0, 0, 0, 0) != 0 || !become_group(NOBODY) || !become_user(NOBODY))
        return cache_miss("the rights of root cannot be laid down", "");
    return sys_access(program, 4) == 0 || cache_miss("not everybody may read ", program);
}

bool become_root(void)
{
    return !is_for_others() || (become_user(0) && become_group(0));
}
