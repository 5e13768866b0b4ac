/* attach.c - a start from a record: everything mapped where it was when the record was made, relocated pages from images.
 *
 *   constants, code      from the file, as always: the page cache's frames
 *   RELRO                from the image, read-only from the first moment; where some words are this process's own it is mapped writable
 *                        and sealed with everybody else's
 *   data                 from the image, private: a page of ours only when the program writes to it
 *
 * Whatever does not agree (a file changed) undoes all of it, and the start goes the ordinary way. Only where a place is taken in this
 * process does the rest stay: that object is mapped elsewhere, and it and those that hold addresses in it are relocated. */
#include "cache_private.h"

static int prot_of(u32 flags)
{
    return (flags & PF_R ? PROT_READ : 0) | (flags & PF_W ? PROT_WRITE : 0) | (flags & PF_X ? PROT_EXEC : 0);
}

/* `how`: MAP_FIXED over a reservation, MAP_FIXED_NOREPLACE where none is; more flags. */
static bool map_at(u64 at, u64 len, int prot, int how, int fd, u64 off)
{
    void *got = sys_mmap((void *)at, len, prot, MAP_PRIVATE | how, fd, off);
    if (got != (void *)at && !sys_failed(got))
        sys_munmap(got, len);         /* a kernel that knows no NOREPLACE */
    return got == (void *)at;
}

static int if_touched(bool touched, u64 len)
{
    return touched && len <= TOUCHED_WHOLE ? MAP_POPULATE : 0;
}

/* Does the mapping of the first segment, made as long as the span, show this segment's bytes at the right place with the right access? */
static bool shown_already(const struct plan *plan, const struct segment *seg)
{
    const struct segment *first = &plan->seg[0];
    return seg->prot == first->prot && seg->off - seg->vaddr == first->off - first->vaddr && seg->mem_end == seg->file_end;
}

static bool map_constant_segments(const struct record_object *from, const struct plan *plan, int fd)
{
    bool runs = from->idle != (IDLE_START | IDLE_END);         /* a constructor or a destructor */
    for (u32 i = 0; i < plan->seg_count; i++) {
        const struct segment *seg = &plan->seg[i];
        u64 start = align_down(seg->vaddr, LDR_PAGE), end = align_up(seg->mem_end, LDR_PAGE);
        u64 len = align_up(seg->file_end, LDR_PAGE) - start;
        if (i && !(seg->prot & PF_W) && !shown_already(plan, seg) &&
            !map_at(from->bias + start, len, prot_of(seg->prot), MAP_FIXED | if_touched(runs && (seg->prot & PF_X), len), fd, align_down(seg->off, LDR_PAGE)))
            return false;
        /* A gap behind a segment still shows the reservation. */
        u64 next = i + 1 < plan->seg_count ? align_down(plan->seg[i + 1].vaddr, LDR_PAGE) : end;
        if (next > end)
            sys_mprotect((void *)(from->bias + end), next - end, PROT_NONE);
    }
    return true;
}

u32 attach_pieces(u64 bias, const struct piece *piece, u32 count, bool own_words, bool used, const int *pack, int how)
{
    u32 i = 0;
    for (u32 next; i < count; i = next) {
        bool sealed = piece[i].sealed && !own_words;
        u64 len = piece[i].len;
        /* Pieces that lie behind one another in memory and in the pack are one mapping when their access is the same. */
        for (next = i + 1; next < count && (piece[next].sealed && !own_words) == sealed && piece[next].pack == piece[i].pack &&
             piece[next].vaddr == piece[i].vaddr + len && piece[next].off == piece[i].off + len; next++)
            len += piece[next].len;
        /* Lists of constructors are in RELRO, and the GOT that calls go through. */
        if (!map_at(bias + piece[i].vaddr, len, sealed ? PROT_READ : PROT_READ | PROT_WRITE, how | if_touched(sealed && used, len), pack[piece[i].pack], piece[i].off))
            break;
    }
    return i;
}

/* What of the object's span its first mapping reserves. Where all that is writable comes last, in pieces without a gap, only what is before
 * it: making a mapping costs less than cutting one to make room for it. */
static u64 reserved_len(const struct record_object *from, const struct plan *plan, const struct piece *piece)
{
    u64 lo = from->map_start - from->bias, start = align_down(plan->seg[plan->seg_count - 1].vaddr, LDR_PAGE), at = start;
    bool last = (plan->seg[plan->seg_count - 1].prot & PF_W) && start > lo;
    for (u32 i = 0; i + 1 < plan->seg_count; i++)
        last = last && !(plan->seg[i].prot & PF_W);
    for (u32 i = 0; i < from->piece_count && last; i++) {
        last = piece[i].vaddr == at;
        at += piece[i].len;
    }
    return last ? start - lo : from->map_end - from->map_start;
}

/* *reached: up to which address it is mapped; meant for pieces that lie in no reservation. */
static bool map_writable_segments(const struct record_object *from, const struct plan *plan, const struct piece *piece, const int *pack, int how, u64 *reached)
{
    u32 count = attach_pieces(from->bias, piece, from->piece_count, from->own_words, from->used, pack, how);
    if (count)
        *reached = from->bias + piece[count - 1].vaddr + piece[count - 1].len;
    if (count < from->piece_count)
        return false;
    for (u32 i = 0; i < plan->seg_count; i++) {
        const struct segment *seg = &plan->seg[i];
        u64 from_page = align_down(seg->vaddr, LDR_PAGE), end = align_up(seg->mem_end, LDR_PAGE);
        if (!(seg->prot & PF_W))
            continue;
        for (u32 k = 0; k < from->piece_count; k++)
            if (piece[k].vaddr >= from_page && piece[k].vaddr + piece[k].len <= end && piece[k].vaddr + piece[k].len > from_page)
                from_page = piece[k].vaddr + piece[k].len;
        if (end > from_page && !map_at(from->bias + from_page, end - from_page, prot_of(seg->prot), how | MAP_ANONYMOUS, -1, 0))
            return false;
    }
    return true;
}

enum mapped { MAPPED_NOT, MAPPED_TAKEN /* something else is there */, MAPPED };

/* Only what a plan with these properties can be mapped this short way; others are KIND_PLAIN. */
static enum mapped map_shared(const struct record_object *from, const struct plan *plan, const struct piece *piece, const int *pack, int fd)
{
    u64 reserved = reserved_len(from, plan, piece), end = from->map_start + reserved;
    const struct segment *first = &plan->seg[0];
    void *at = sys_mmap((void *)from->map_start, reserved, prot_of(first->prot), MAP_PRIVATE | MAP_FIXED_NOREPLACE, fd, align_down(first->off, LDR_PAGE));
    if (at != (void *)from->map_start) {
        if (!sys_failed(at))
            sys_munmap(at, reserved);
        return sys_error_of(at) == 17 /* EEXIST */ || !sys_failed(at) ? MAPPED_TAKEN : MAPPED_NOT;
    }
    bool whole = end == from->map_end;
    if (map_constant_segments(from, plan, fd) && map_writable_segments(from, plan, piece, pack, whole ? MAP_FIXED : MAP_FIXED_NOREPLACE, &end))
        return MAPPED;
    sys_munmap(at, (whole ? from->map_end : end) - from->map_start);       /* no further: what is behind it may be somebody else's */
    return whole ? MAPPED_NOT : MAPPED_TAKEN;
}

static void describe(struct object *object, const struct record_object *from, const struct record_head *record)
{
    const char *base = (const char *)record;
    object->image = from->image;
    object->image.path = object->path = base + from->path;
    object->image.plan.seg = (const void *)(base + (u64)from->image.plan.seg);
    object->image.version = from->image.version_count ? (const void *)(base + (u64)from->image.version) : NULL;
    object->real_path = base + from->real_path;
    object->image.soname = from->soname ? base + from->soname : NULL;
    object->dev = from->file.dev;
    object->ino = from->file.ino;
    object->place = from->map_start;
    object->file_hash = identity_hash(&from->file);
    object->bias = from->bias;
    object->map_start = from->map_start;
    object->map_end = from->map_end;
    object->view = (struct view){ .bytes = (const u8 *)object->bias, .plan = &object->image.plan, .rule = VIEW_MEMORY };
    object->symbol_count = from->symbol_count;
    object->dyn_tags = (const void *)(base + from->dyn_tags);
    object->no_delete = (object->image.flags_1 & DF_1_NODELETE) != 0;
    object->no_delete_why = object->no_delete ? "DF_1_NODELETE" : NULL;
}

/* As a file like any other: where the kernel likes, to be relocated. A library only; the program's place is in the auxiliary vector. */
static struct object *attach_elsewhere(const struct record_object *from, const struct record_head *record, int fd, const struct stat *st)
{
    struct object *object = load_opened(fd, st, (const char *)record + from->path);
    if (object) {
        object->real_path = (const char *)record + from->real_path;
        object->file_hash = identity_hash(&from->file);
        object->plain_why = PLAIN_MOVED;
    }
    return object;
}

/* `st`: NULL where it must lie at its place. */
static struct object *attach_object(const struct record_object *from, const struct record_head *record, const int *pack, int fd, const struct stat *st)
{
    const struct piece *piece = (const void *)((const char *)record + from->pieces);
    struct object *object = object_new(false);
    if (!object)
        return NULL;
    describe(object, from, record);
    enum mapped mapped = MAPPED_NOT;
    if (from->kind == KIND_SHARED) {
        mapped = map_shared(from, &object->image.plan, piece, pack, fd);
        object->shared = true;
        object->idle = from->idle;
        object->dso_handle = from->dso_handle;
        object->state = OBJECT_MAPPED;
    } else if (map_file(object, fd, from->file.size) == 0) {
        mapped = object->map_start == from->map_start ? MAPPED : MAPPED_TAKEN;
        if (mapped == MAPPED_TAKEN)
            unmap_object(object);
    }
    if (mapped == MAPPED_TAKEN && st && from->image.type == ET_DYN)
        return attach_elsewhere(from, record, fd, st);          /* the first descriptor is lost: a rare case */
    return mapped == MAPPED ? object : NULL;
}

static int open_as_it_was(const struct record_object *from, const struct record_head *record, struct stat *st)
{
    const char *path = (const char *)record + from->real_path;
    int fd = sys_open_read(path);
    int err = fd < 0 ? fd : sys_fstat(fd, st);
    if (err >= 0 && identity_equal(&from->file, st))
        return fd;
    cache_miss_file(path, &from->file, err < 0 ? err : 0, st);
    if (fd >= 0)
        sys_close(fd);
    return -1;
}

static struct object *attach_file(const struct record_object *from, const struct record_head *record, const int *pack)
{
    struct stat st;
    int fd = open_as_it_was(from, record, &st);
    if (fd < 0)
        return NULL;
    struct object *object = attach_object(from, record, pack, fd, &st);
    sys_close(fd);
    return object;
}

static bool uses(const struct record_head *record, u32 user, u32 used)
{
    const struct record_object *from = (const void *)((const char *)record + record->objects);
    const u8 *map = (const u8 *)record + from[user].uses;
    return map[used / 8] >> used % 8 & 1;
}

/* What holds addresses in an object that is elsewhere: mapped from its file, at its place, to be relocated. What holds addresses in it
 * in turn need not be. */
static bool detach_users(const struct record_head *record)
{
    const struct record_object *from = (const void *)((const char *)record + record->objects);
    for (u32 i = 0; i < record->object_count; i++) {
        struct object *object = cache.object[i];
        bool stays = true;
        for (u32 k = 0; k < record->object_count && object && object->shared; k++)
            stays = stays && !(cache.object[k] && cache.object[k]->plain_why == PLAIN_MOVED && uses(record, i, k));
        if (stays)
            continue;
        struct stat st;
        int fd = open_as_it_was(&from[i], record, &st);
        if (fd < 0)
            return false;
        unmap_object(object);
        object->shared = false;
        object->idle = 0;
        object->plain_why = PLAIN_USES_MOVED;
        bool good = map_file(object, fd, (u64)st.st_size) == 0 && object->map_start == from[i].map_start;
        sys_close(fd);
        if (!good)
            return cache_miss("place taken: ", (const char *)record + from[i].real_path);
    }
    return true;
}

static bool attach_objects(const struct record_head *record, const int *pack, int program_fd)
{
    const struct record_object *from = (const void *)((const char *)record + record->objects);
    bool moved = false;
    for (u32 i = 0; i < record->object_count; i++) {
        if (from[i].kind == KIND_KERNEL)
            continue;
        struct object *object = i == 0 && program_fd >= 0 ? attach_object(&from[i], record, pack, program_fd, NULL) : attach_file(&from[i], record, pack);
        if (!object)
            return cache_miss("place taken: ", (const char *)record + from[i].real_path);
        object->is_program = i == 0;  /* the first of the list, as it was loaded */
        cache.object[i] = object;
        moved = moved || object->plain_why;
    }
    return !moved || detach_users(record);
}

bool attach_all(const struct record_head *record, int dir, int program_fd)
{
    int pack[RECORD_PACKS_MOST];
    u32 opened = 0;
    bool good = record->pack_count <= RECORD_PACKS_MOST || cache_miss("too many packs", "");
    cache.object = arena_zalloc(&session.permanent, record->object_count * sizeof *cache.object);
    good = good && cache.object;
    reserve_objects(record->object_count);
    for (; good && opened < record->pack_count; opened++) {
        struct stat st;
        const struct pack_ref *ref = (const struct pack_ref *)((const char *)record + record->packs) + opened;
        pack[opened] = store_open_file(dir, ref->name, &st);
        if (pack[opened] >= 0 && identity_equal(&ref->is, &st))
            continue;
        if (pack[opened] >= 0)
            sys_close(pack[opened]);
        good = cache_miss_file(ref->name, &ref->is, pack[opened] < 0 ? pack[opened] : 0, &st);
        break;
    }
    struct report loud = session.report;
    session.report = (struct report){ 0 };
    good = good && attach_objects(record, pack, program_fd);
    session.report = loud;
    while (opened-- > 0)
        sys_close(pack[opened]);
    if (!good)
        for (u32 i = 0; cache.object && i < record->object_count; i++)
            if (cache.object[i])
                unmap_object(cache.object[i]);
    return good;
}
