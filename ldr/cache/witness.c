/* witness.c - what the search for libraries met besides the files it took: a directory that is not there, one that lacks a name, a file
 * passed over. A record holds their state, so that a library appearing earlier on the path is found by the next start.
 * A name missing in a directory is told by the directory: its mtime changes with every name that comes or goes. */
#include "cache_private.h"

static int (*watched_try)(struct search *search, const char *path, enum found_by rule, const struct object *rule_owner);
static bool (*watched_dir)(struct search *search, const char *path);

void witness_add(const char *path)
{
    if (path[0] != '/') {
        cache_spoil("a relative path was searched");
        return;
    }
    for (const struct seen *seen = cache.seen; seen; seen = seen->next)
        if (str_equal(seen->path, path))
            return;
    struct seen *seen = arena_zalloc(&cache.scratch, sizeof *seen);
    if (!seen || !(seen->path = arena_dup(&cache.scratch, path))) {
        cache_spoil("no memory");
        return;
    }
    seen->next = cache.seen;
    cache.seen = seen;
}

static void add_parent(const char *path)
{
    char buf[4096];
    struct text dir = text_on(buf, sizeof buf);
    const char *slash = str_rchr(path, '/');
    if (!slash) {
        cache_spoil("a relative path was searched");
        return;
    }
    text_putn(&dir, path, slash == path ? 1 : (size_t)(slash - path));
    witness_add(buf);
}

static int watching_try(struct search *search, const char *path, enum found_by rule, const struct object *rule_owner)
{
    int got = watched_try(search, path, rule, rule_owner);
    if (got != 1) {
        struct stat st;
        add_parent(path);
        if (sys_stat(path, &st) == 0)
            witness_add(path);        /* passed over: another class, or no ELF file */
    } else if (path[0] != '/') {
        cache_spoil("a library has a relative path");
    }
    return got;
}

static bool watching_dir(struct search *search, const char *path)
{
    bool present = watched_dir(search, path);
    if (!present)
        witness_add(path);
    return present;
}

void witness_watch(void)
{
    watched_try = session.search.try;
    watched_dir = session.search.dir_present;
    session.search.try = watching_try;
    session.search.dir_present = watching_dir;
}

void witness_unwatch(void)
{
    if (watched_try) {
        session.search.try = watched_try;
        session.search.dir_present = watched_dir;
    }
    watched_try = NULL;
}

bool witness_young(const struct file_identity *is)
{
    u64 now;
    if (sys_clock(0 /* CLOCK_REALTIME */, &now) != 0)
        return true;
    /* Clocks of file systems tick every few milliseconds, of some every second. */
    u64 margin = is->ctime_ns | is->mtime_ns ? 20000000ull : 2000000000ull;
    return is->ctime * 1000000000ull + is->ctime_ns + margin > now;
}

bool witness_take(const char *path, struct witness *out)
{
    struct stat st;
    int err = sys_stat(path, &st);
    if (err == -2 || err == -20 /* ENOTDIR */) {
        *out = (struct witness){ .kind = WITNESS_ABSENT };
        return true;
    }
    if (err)
        return false;
    *out = (struct witness){ .kind = WITNESS_SAME };
    identity_of(&st, &out->is);
    return !witness_young(&out->is);
}
