/* evict.c - keeping the directory small. Called by makers, under the lock.
 *
 * What a new catalog does not know is removed: another boot's places, another format. When packs and records together are larger than the limit,
 * the records longest not read go first, then every pack that no record names. Whoever runs from an image keeps it: a removed file lives
 * as long as it is mapped. */
#include "cache_private.h"

#define RECORDS_MOST 4096u            /* looked at */
#define RECORDS_KEPT 2048u            /* a build that runs each of its test programs once makes thousands */

struct entry { u64 ino; i64 off; unsigned short len; unsigned char type; char name[]; };     /* linux_dirent64 */

void store_each(void (*visit)(const char *name))
{
    char buf[4096] __attribute__((aligned(8)));
    int dir = sys_openat(cache.dir, ".", O_RDONLY, 0);
    if (dir < 0)
        return;
    for (long got; (got = sys_call(__NR_getdents64, dir, (long)buf, sizeof buf, 0, 0, 0)) > 0;)
        for (long at = 0; at < got;) {
            const struct entry *entry = (const struct entry *)(buf + at);
            visit(entry->name);
            at += entry->len;
        }
    sys_close(dir);
}

static void remove_any(const char *name)
{
    if (cache_owns_name(name))
        sys_unlinkat(cache.dir, name);
}

/* Only makers write temporary names, and the lock is ours: its writer died. */
static void remove_half(const char *name)
{
    if (name[0] == 't' && cache_owns_name(name))
        sys_unlinkat(cache.dir, name);
}

/* Bytes of what dlopen brought. */
static u64 late_limit(void) { return store_limit() / 4; }

static u64 pack_bytes, late_bytes;
static u32 record_count, late_count;

static void add_size(const char *name)
{
    struct stat st;
    if (!cache_owns_name(name) || store_stat_file(cache.dir, name, &st) != 0)
        return;
    bool late = name[0] == 'l';
    record_count += name[0] == 'r';
    late_count += late;
    *(late ? &late_bytes : &pack_bytes) += (u64)st.st_size;
}

/* ---- least recently read --------------------------------------------------------------------------------------------- */

struct aged { char name[48]; u64 read, size; };
static struct aged *aged;
static u32 aged_count;
static char aged_kind;                /* first letter of the names collected */

static void add_aged(const char *name)
{
    struct stat st;
    if (name[0] != aged_kind || !cache_owns_name(name) || aged_count == RECORDS_MOST)
        return;
    int fd = store_open_file(cache.dir, name, &st);
    if (fd < 0)
        return;
    sys_close(fd);
    struct aged *to = &aged[aged_count++];
    struct text t = text_on(to->name, sizeof to->name);
    text_put(&t, name);
    to->size = (u64)st.st_size;
    /* A second is long: many starts end within one. */
    u64 read = (u64)st.st_atime * 1000000000u + st.st_atime_nsec, made = (u64)st.st_mtime * 1000000000u + st.st_mtime_nsec;
    to->read = read > made ? read : made;
}

/* Marks the packs a record names in `used`, by their number in the catalog. */
static void mark_packs(const char *name, u8 *used)
{
    u64 len;
    cache.quiet = READ_QUIETLY;
    const struct record_head *head = store_map(cache.dir, name, &len);
    cache.quiet = 0;
    if (!head)
        return;
    u64 end;
    if (len >= sizeof *head && head->magic == RECORD_MAGIC && add_u64(head->packs, (u64)head->pack_count * sizeof(struct pack_ref), &end) && end <= len)
        for (u32 i = 0; i < head->pack_count; i++) {
            const struct pack_ref *ref = (const struct pack_ref *)((const char *)head + head->packs) + i;
            for (u32 k = 0; k < cache.catalog->head.pack_count; k++)
                if (memcmp(ref->name, cache.catalog->pack[k].name, CACHE_NAME_ROOM) == 0)
                    used[k] = 1;
        }
    sys_munmap((void *)head, len);
}

/* Of the records from there on and their packs. */
static u64 used_bytes(u32 from, u8 *used)
{
    u64 bytes = 0;
    memset(used, 0, cache.catalog->head.pack_count);
    for (u32 i = from; i < aged_count; i++) {
        mark_packs(aged[i].name, used);
        bytes += aged[i].size;
    }
    for (u32 k = 0; k < cache.catalog->head.pack_count; k++)
        bytes += used[k] ? cache.catalog->pack[k].is.size : 0;
    return bytes;
}

static void sort_by_age(void)
{
    for (u32 i = 1; i < aged_count; i++) {
        struct aged moving = aged[i];
        u32 at = i;
        for (; at && aged[at - 1].read > moving.read; at--)
            aged[at] = aged[at - 1];
        aged[at] = moving;
    }
}

static const u8 *used_now;

static void remove_unused(const char *name)
{
    if (name[0] != 'p' || !cache_owns_name(name))
        return;
    for (u32 k = 0; k < cache.catalog->head.pack_count; k++)
        if (used_now[k] && str_equal(cache.catalog->pack[k].name, name))
            return;
    sys_unlinkat(cache.dir, name);
}

/* Images in packs that went are forgotten; the numbers of packs stay. */
static void forget_images(const u8 *used)
{
    struct catalog *catalog = cache.catalog;
    u32 to = 0;
    for (u32 i = 0; i < catalog->head.image_count; i++) {
        bool whole = true;
        for (u32 k = 0; k < catalog->image[i].piece_count; k++)
            whole = whole && used[catalog->image[i].pieces[k].pack];
        if (whole)
            catalog->image[to++] = catalog->image[i];
    }
    catalog->head.image_count = to;
    catalog->changed = true;
}

/* Records, or images of what dlopen brought: the longest not read first. */
static bool list_by_age(char kind)
{
    aged = arena_alloc(&cache.scratch, RECORDS_MOST * sizeof *aged);
    aged_count = 0;
    aged_kind = kind;
    if (aged)
        store_each(add_aged);
    sort_by_age();
    return aged != NULL;
}

/* Who runs from one keeps it mapped; the next dlopen makes it anew. */
static void make_room_late(void)
{
    if (!list_by_age('l'))
        return;
    for (u32 i = 0; i < aged_count && (late_bytes > late_limit() / 4 * 3 || aged_count - i > RECORDS_KEPT / 4 * 3); i++) {
        sys_unlinkat(cache.dir, aged[i].name);
        late_bytes -= aged[i].size;
    }
}

static void make_room(void)
{
    u8 *used = arena_zalloc(&cache.scratch, cache.catalog->head.pack_count + 1);
    if (!used || !list_by_age('r'))
        return;
    /* Half at a time: asking anew for every record would read all of them as often as there are records. */
    u32 from = 0;
    while (from < aged_count && (aged_count - from > RECORDS_KEPT / 4 * 3 || used_bytes(from, used) > store_limit() / 4 * 3)) {
        u32 more = (aged_count - from + 1) / 2;
        for (u32 i = from; i < from + more; i++)
            sys_unlinkat(cache.dir, aged[i].name);
        from += more;
    }
    used_bytes(from, used);
    /* The catalog first: a maker that dies here leaves files nobody names, not names without files. */
    forget_images(used);
    if (!catalog_write(cache.catalog))
        return;
    used_now = used;
    store_each(remove_unused);
    store_refuses_makers(cache.dir);  /* there is more room now */
}

void evict_late(void)
{
    pack_bytes = late_bytes = record_count = late_count = 0;
    store_each(add_size);
    if (late_bytes > late_limit() || late_count > RECORDS_KEPT)
        make_room_late();
}

void evict(bool everything)
{
    if (everything) {
        store_each(remove_any);
        return;
    }
    store_each(remove_half);
    evict_late();
    if (pack_bytes > store_limit() || record_count > RECORDS_KEPT)
        make_room();
}
