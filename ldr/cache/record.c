/* record.c - reading a record and judging whether it still holds. Nothing is mapped before everything here agreed. */
#include "cache_private.h"

static const struct record_head *now_reading;

static bool has(u64 off, u64 count, u64 width)
{
    u64 len, end;
    return mul_u64(count, width, &len) && add_u64(off, len, &end) && end <= now_reading->size && (width < 4 || off % 4 == 0) &&
           (width < 8 || width % 8 || off % 8 == 0);
}

static bool has_text(u32 off)
{
    if (off >= now_reading->size)
        return false;
    const char *at = (const char *)now_reading + off, *end = (const char *)now_reading + now_reading->size;
    while (at < end && *at)
        at++;
    return at < end;
}

static bool has_numbers(u32 off, u32 count, u32 limit)
{
    if (!has(off, count, sizeof(u32)))
        return false;
    const u32 *number = (const void *)((const u8 *)now_reading + off);
    for (u32 i = 0; i < count; i++)
        if (number[i] >= limit)
            return false;
    return true;
}

static bool has_texts(u32 off, u32 count)
{
    if (!has(off, count, sizeof(u32)))
        return false;
    const u32 *text = (const void *)((const u8 *)now_reading + off);
    for (u32 i = 0; i < count; i++)
        if (!has_text(text[i]))
            return false;
    return true;
}

static bool pieces_sound(const struct record_object *object)
{
    const struct piece *piece = (const void *)((const u8 *)now_reading + object->pieces);
    const struct pack_ref *pack = (const void *)((const u8 *)now_reading + now_reading->packs);
    u64 len = object->map_end - object->map_start, lo = object->map_start - object->bias;
    for (u32 i = 0; i < object->piece_count; i++)
        /* A piece past the end of its pack would be SIGBUS later; attach.c sees that the pack is this file. */
        if (piece[i].pack >= now_reading->pack_count || piece[i].off > pack[piece[i].pack].is.size ||
            pack[piece[i].pack].is.size - piece[i].off < piece[i].len || piece[i].off % LDR_PAGE || piece[i].vaddr % LDR_PAGE || piece[i].len % LDR_PAGE ||
            piece[i].vaddr < lo || piece[i].vaddr - lo > len || len - (piece[i].vaddr - lo) < piece[i].len)
            return false;
    return true;
}

static bool patches_sound(const struct record_object *object)
{
    const struct patch *patch = (const void *)((const u8 *)now_reading + object->patches);
    u64 len = object->map_end - object->map_start, lo = object->map_start - object->bias;
    for (u32 i = 0; i < object->patch_count; i++)
        if (patch[i].vaddr < lo || patch[i].vaddr - lo > len - 8)
            return false;
    return true;
}

static bool object_sound(const struct record_object *object)
{
    u32 count = now_reading->object_count;
    if (!has_text(object->path) || !has_text(object->real_path) || (object->soname && !has_text(object->soname)) || !has_texts(object->aliases, object->alias_count) ||
        !has_numbers(object->needed, object->needed_count, count) || !has_numbers(object->filtee, object->filtee_count, count) ||
        !has(object->pieces, object->piece_count, sizeof(struct piece)) || !has(object->patches, object->patch_count, sizeof(struct patch)) ||
        (object->loader >= count && object->loader != NO_OBJECT))
        return false;
    if (object->kind == KIND_KERNEL)
        return true;
    u64 segs = (u64)object->image.plan.seg, versions = (u64)object->image.version;
    return object->map_start % LDR_PAGE == 0 && object->map_end > object->map_start && object->map_end % LDR_PAGE == 0 &&
           object->piece_count <= PIECES_MOST && object->image.plan.seg_count && has(segs, object->image.plan.seg_count, sizeof(struct segment)) &&
           has(versions, object->image.version_count, sizeof(struct version)) && has(object->dyn_tags, object->image.dyn_count, sizeof(u32)) && has(object->uses, (now_reading->object_count + 7) / 8, 1) &&
           (!object->dso_handle || object->dso_handle - object->map_start < object->map_end - object->map_start) &&
           pieces_sound(object) && patches_sound(object);
}

/* Bytes as they were written: the sum finds damage, these bounds what a sum can not promise. */
static bool record_sound(const struct record_head *head, u64 len)
{
    if (len < sizeof *head || head->magic != RECORD_MAGIC || head->size != len || head->sum != cache_sum((const u8 *)head + 24, len - 24))
        return false;
    now_reading = head;
    u32 count = head->object_count;
    if (!has(head->key, head->key_len, 1) || !has(head->witnesses, head->witness_count, sizeof(struct witness)) ||
        !has(head->objects, count, sizeof(struct record_object)) || !has_numbers(head->closure, head->closure_count, count) ||
        !has_numbers(head->init_order, head->closure_count, count) || !has(head->uniques, head->unique_count, sizeof(struct unique_pair)) ||
        !has(head->packs, head->pack_count, sizeof(struct pack_ref)) || !has(head->facts, head->facts_len, 1) || !count)
        return false;
    const struct record_object *object = (const void *)((const u8 *)head + head->objects);
    for (u32 i = 0; i < count; i++)
        if (!object_sound(&object[i]))
            return false;
    return true;
}

static bool witnesses_agree(const struct record_head *head)
{
    const struct witness *witness = (const void *)((const u8 *)head + head->witnesses);
    for (u32 i = 0; i < head->witness_count; i++) {
        struct stat st;
        if (!has_text(witness[i].path))
            return false;
        const char *path = (const char *)head + witness[i].path;
        int err = sys_stat(path, &st);
        if (witness[i].kind == WITNESS_ABSENT ? err != -2 && err != -20 : err != 0 || !identity_equal(&witness[i].is, &st))
            return cache_miss_file(path, witness[i].kind == WITNESS_SAME ? &witness[i].is : NULL, err, &st);
    }
    return true;
}

/* One file may have several names, and a link lead to another of them than it did. */
NOINLINE static bool origin_agrees(const struct record_head *head, const char *program)
{
    char now[512];                    /* of the stack no more than the program has touched by its first call; a longer one is no match */
    if (!head->origin)
        return true;
    if (session.config.secure)        /* who starts a set-user-ID program may choose by which of its names */
        return cache_miss("$ORIGIN of a set-user-ID program: ", program);
    if (!has_text(head->origin) || !origin_of(true, program, now, sizeof now) || !str_equal(now, (const char *)head + head->origin))
        return cache_miss("another $ORIGIN than when it was made: ", program);
    return true;
}

const struct record_head *record_read(int dir, const char *program)
{
    u64 len = 0;
    const struct record_head *head = store_map(dir, cache.record_name, &len);
    if (!head) {
        struct stat st;
        if (cache_is_asked_why() && store_stat_file(dir, cache.record_name, &st) != 0)
            nearest_tell();           /* else: too short to be one */
        cache_miss("no record ", cache.record_name);
        return NULL;
    }
    if (!record_sound(head, len))
        cache_miss("damaged record ", cache.record_name);
    else if (head->key_len != cache.key_len || memcmp((const u8 *)head + head->key, cache.key, cache.key_len) != 0)
        cache_miss("record of another start ", cache.record_name);
    else if (!age_agrees(head->born, head->max_age ? head->max_age : AGE_NONE))
        cache_miss("older than LDR_CACHE_MAX_AGE allows: ", cache.record_name);
    else if (origin_agrees(head, program) && witnesses_agree(head))
        return head;
    sys_munmap((void *)head, len);
    return NULL;
}
