/* tell.c - what the cache did, in words: LD_DEBUG=cache, LDR_TRACE, and the reason that LDR_CACHE=require gives. Nothing is decided here.
 * Only a start that misses, or that somebody listens to, comes here. */
#include "cache_private.h"
#include "../debug/events.h"

bool cache_miss(const char *why, const char *what)
{
    if (!cache.miss[0]) {
        struct text t = text_on(cache.miss, sizeof cache.miss);
        text_put(&t, why);
        text_put(&t, what);
    }
    return false;
}

/* ---- which file changed, and in what --------------------------------------------------------------------------------- */

static void put_time(struct text *t, u64 seconds, u64 nanoseconds)
{
    text_dec(t, seconds);
    text_char(t, '.');
    for (u64 digit = 100000000; digit; digit /= 10)
        text_char(t, (char)('0' + nanoseconds / digit % 10));
}

static void put_was(struct text *t, const char *field, u64 now, u64 was)
{
    text_put(t, field);
    text_dec(t, now);
    text_put(t, ", was ");
    text_dec(t, was);
}

/* The first field that tells them apart, in the order of what it means: another file, other contents, touched. */
void tell_difference(struct text *t, const struct file_identity *was, const struct file_identity *now)
{
    if (was->dev != now->dev)
        put_was(t, "another file: device ", now->dev, was->dev);
    else if (was->ino != now->ino)
        put_was(t, "another file: inode ", now->ino, was->ino);
    else if (was->size != now->size)
        put_was(t, "size ", now->size, was->size);
    else {
        bool mtime = was->mtime != now->mtime || was->mtime_ns != now->mtime_ns;
        text_put(t, mtime ? "mtime " : "ctime ");
        put_time(t, mtime ? now->mtime : now->ctime, mtime ? now->mtime_ns : now->ctime_ns);
        text_put(t, ", was ");
        put_time(t, mtime ? was->mtime : was->ctime, mtime ? was->mtime_ns : was->ctime_ns);
    }
}

NOINLINE bool cache_miss_file(const char *path, const struct file_identity *was, int err, const struct stat *st)
{
    char buf[200];
    struct text t = text_on(buf, sizeof buf);
    if (cache.miss[0])
        return false;
    struct text whole = text_on(cache.miss, sizeof cache.miss);
    if (err) {
        text_put(&t, err == -2 || err == -20 ? "gone" : errno_text(-err));
    } else if (!was) {
        text_put(&t, "is there now");
    } else {
        struct file_identity now;
        identity_of(st, &now);
        tell_difference(&t, was, &now);
    }
    text_put(&whole, "changed since: ");
    text_put(&whole, path);
    text_put(&whole, ": ");
    text_put(&whole, buf);
    return false;
}

/* ---- objects --------------------------------------------------------------------------------------------------------- */

static void tell_plain(const struct object *object, u32 why, u64 at)
{
    char buf[200];
    struct text t = text_on(buf, sizeof buf);
    text_put(&t, plain_why_text(why));
    if (at) {
        text_put(&t, ", at ");
        text_hex(&t, at);
    }
    event_cached(object, CACHE_RELOCATED, buf, 0, 0);
}

static void tell_image(const struct object *object, const struct piece *piece, u32 count, const char *pack, bool is_new)
{
    u64 pages = 0, read_only = 0;
    for (u32 i = 0; i < count; i++) {
        pages += piece[i].len / LDR_PAGE;
        read_only += piece[i].sealed ? piece[i].len / LDR_PAGE : 0;
    }
    event_cached(object, is_new ? CACHE_NEW_IMAGE : CACHE_FROM_IMAGE, count ? pack : "none", pages, read_only);
}

NOINLINE void tell_warm(void)
{
    const struct record_head *record = cache.record;
    const struct record_object *from = (const void *)((const char *)record + record->objects);
    const struct pack_ref *pack = (const void *)((const char *)record + record->packs);
    event_cache(CACHE_HIT, cache.record_name);
    for (u32 i = 0; i < record->object_count; i++) {
        const struct piece *piece = (const void *)((const char *)record + from[i].pieces);
        if (from[i].kind == KIND_KERNEL)
            event_cached(cache.object[i], CACHE_BY_KERNEL, "", 0, 0);
        else if (from[i].kind == KIND_PLAIN)
            tell_plain(cache.object[i], from[i].plain_why, from[i].plain_at);
        else
            tell_image(cache.object[i], piece, from[i].piece_count, from[i].piece_count ? pack[piece->pack].name : "", false);
    }
}

NOINLINE void tell_made(const struct draft *draft, u32 count, u32 new_pack)
{
    for (u32 i = 0; i < count; i++)
        if (draft[i].kind == KIND_KERNEL) {
            event_cached(draft[i].object, CACHE_BY_KERNEL, "", 0, 0);
        } else if (draft[i].kind == KIND_PLAIN) {
            tell_plain(draft[i].object, draft[i].plain_why, draft[i].plain_at);
        } else {
            u32 number = draft[i].piece[0].pack;
            tell_image(draft[i].object, draft[i].piece, draft[i].piece_count, draft[i].piece_count ? cache.catalog->pack[number].name : "",
                       draft[i].piece_count && number == new_pack);
        }
    event_cache(CACHE_MADE, cache.record_name);
}
