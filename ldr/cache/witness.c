/* witness.c - what the search for libraries met besides the files it took: a directory that is not there, one that lacks a name, a file
 * passed over. A record holds their state, so that a library appearing earlier on the path is found by the next start.
 * Where many names are missing the directory stands for them: its mtime changes with every name that comes or goes. */
#include "cache_private.h"

static int (*watched_try)(struct search *search, const char *path, enum found_by rule, const struct object *rule_owner);
static bool (*watched_dir)(struct search *search, const char *path);

#define NAMES_MOST 24u                /* names looked for one by one; beyond that their directories stand for them */

/* `was`: the state before the search looked. What changed in between is seen when the record is written. */
static void add(const char *path, const struct witness *was, bool known)
{
    if (path[0] != '/') {
        cache_spoil_by("a relative path was searched: ", path);
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
    seen->was = *was;
    seen->known = known;
    seen->next = cache.seen;
    cache.seen = seen;
    cache.seen_count++;
}

void witness_add(const char *path)
{
    struct witness now;
    bool known = witness_take(path, &now);
    add(path, &now, known);
}

static const char *parent_of(const char *path, struct text *dir)
{
    const char *slash = str_rchr(path, '/');
    text_putn(dir, slash && slash != path ? path : "/", slash && slash != path ? (size_t)(slash - path) : 1);
    return dir->buf;
}

NOINLINE static int watching_try(struct search *search, const char *path, enum found_by rule, const struct object *rule_owner)
{
    char buf[4096];
    struct text dir = text_on(buf, sizeof buf);
    struct witness file, parent;
    if (path[0] != '/') {
        cache_spoil_by("a relative path was searched: ", path);
        return watched_try(search, path, rule, rule_owner);
    }
    u32 met = cache.met_count;
    bool file_known = witness_take(path, &file), parent_known = witness_take(parent_of(path, &dir), &parent);
    int got = watched_try(search, path, rule, rule_owner);
    /* Of a file that was mapped its identity is kept; a name that led to one loaded already may lead elsewhere tomorrow. */
    if (got == 1 && cache.met_count != met)
        return got;
    /* A name that is a link to nothing is told by what it leads to; one that is not there, where many are missing, by its directory. */
    struct stat st;
    bool is_link = file.kind == WITNESS_ABSENT && sys_call(__NR_lstat, (long)path, (long)&st, 0, 0, 0, 0) == 0;
    if (!file_known || file.kind == WITNESS_SAME || is_link || cache.seen_count < NAMES_MOST)
        add(path, &file, file_known);
    else
        add(buf, &parent, parent_known);
    /* Who may read what is not part of the key. */
    if (got != 1 && file.kind == WITNESS_SAME && sys_access(path, 4) == -13 /* EACCES */)
        cache_spoil_by("a file on the path may not be read: ", path);
    return got;
}

static bool watching_dir(struct search *search, const char *path)
{
    struct witness was;
    bool known = witness_take(path, &was), present = watched_dir(search, path);
    if (!present)
        add(path, &was, known);
    return present;
}

void witness_watch(void)
{
    watched_try = session.search.try;
    watched_dir = session.search.dir_present;
    static const char asked[2][24] = { "/etc/ld.so.cache", "/etc/ld.so.preload" };
    for (u32 i = 0; i < 2; i++) {
        witness_add(asked[i]);
        if (sys_access(asked[i], 4) == -13 /* EACCES */)
            cache_spoil("a file in /etc that says where libraries are may not be read");
    }
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
    memset(out, 0, sizeof *out);
    if (err == -2 || err == -20 /* ENOTDIR */) {
        memset(out, 0, sizeof *out);
        return true;
    }
    if (err)
        return false;
    memset(out, 0, sizeof *out);
    out->kind = WITNESS_SAME;
    identity_of(&st, &out->is);
    return !witness_young(&out->is);
}
