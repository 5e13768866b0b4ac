/* late.c - what dlopen brings: relocated pages from an image that an earlier process left.
 *
 * A process may open anything, so there is no record of it: names are searched and files mapped as ever, each at its place from the
 * catalog. Only relocation is left out, for an object whose situation is one that an image was made in. What decides the relocated
 * pages of an object, besides its own file, is late_context:
 *
 *   the processor, the boot, the loader's build, GLIBC_TUNABLES            cache.seed
 *   how its functions are bound                                            at once, or at their first calls
 *   which files stand in its scopes, in which order, where they lie, with which thread storage
 *
 * An address in a program that the kernel placed (PIE entered through PT_INTERP) is a patch, as at start. What hangs on more than this
 * is never made (late_make.c): unique symbols, resolvers, offsets of thread storage.
 *
 * Called by dlopen with the load lock held: late_place for each file before it is mapped, late_take for each object before it would be
 * relocated, late_opened at the end. */
#include "cache_private.h"
#include "../debug/events.h"

#define LOCK_GIVE_BACK 8              /* LOCK_UN */
#define OPEN_MOST 64u                 /* image files held open during one dlopen: descriptors are the program's */

static struct late *late_list;
static u32 late_count;
static COLD_DATA bool late_making, late_no_making, late_never_making;

/* ---- one file's images ----------------------------------------------------------------------------------------------- */

static void name_of(const struct file_identity *file, char name[CACHE_NAME_ROOM])
{
    u64 hash = identity_hash(file);
    struct text t = text_on(name, CACHE_NAME_ROOM);
    text_put(&t, "l-");
    for (u32 i = 0; i < 16; i++)
        text_char(&t, "0123456789abcdef"[hash >> 4 * i & 15]);
}

static bool table_fits(const struct late_head *head, u32 off, u64 count, u64 width)
{
    return off % 8 == 0 && off >= sizeof *head && off <= head->tables && count <= (head->tables - off) / width;
}

static bool image_sound(const struct late_head *head, const struct late_image *image)
{
    const struct patch *patch = (const void *)((const u8 *)head + image->patches);
    if (image->piece_count > PIECES_MOST || !table_fits(head, image->patches, image->patch_count, sizeof *patch))
        return false;
    for (u32 i = 0; i < image->piece_count; i++) {
        const struct piece *piece = &image->piece[i];
        if (piece->pack || piece->off > head->size || head->size - piece->off < piece->len || piece->off % LDR_PAGE || piece->vaddr % LDR_PAGE ||
            piece->len % LDR_PAGE)
            return false;
    }
    /* Stores go only where pages of the image were mapped. */
    for (u32 i = 0; i < image->patch_count; i++) {
        u32 k = 0;
        while (k < image->piece_count && (image->piece[k].len < 8 || patch[i].vaddr - image->piece[k].vaddr > image->piece[k].len - 8))
            k++;
        if (k == image->piece_count)
            return false;
    }
    return true;
}

/* Every number is judged before it is used; the sum finds damage to what the bounds let pass. */
static bool head_sound(const struct late_head *head, u64 size, const struct file_identity *file)
{
    if (head->magic != LATE_MAGIC || head->size != size || head->sum != cache_sum((const u8 *)head + 24, head->tables - 24) ||
        head->gate != session.gate || memcmp(head->boot, cache.boot, 16) != 0 || memcmp(&head->file, file, sizeof *file) != 0 ||
        !table_fits(head, head->variants, head->variant_count, sizeof(struct late_variant)) ||
        !table_fits(head, head->images, head->image_count, sizeof(struct late_image)))
        return false;
    const struct late_variant *variant = (const void *)((const u8 *)head + head->variants);
    const struct late_image *image = (const void *)((const u8 *)head + head->images);
    for (u32 i = 0; i < head->variant_count; i++)
        if (variant[i].image >= head->image_count || !table_fits(head, variant[i].bound, variant[i].bound_count, sizeof(u32)))
            return false;
    for (u32 i = 0; i < head->image_count; i++)
        if (!image_sound(head, &image[i]))
            return false;
    return true;
}

/* Read, not mapped: nobody can take bytes away from under a copy. */
static const struct late_head *read_tables(int fd, u64 size, const struct file_identity *file)
{
    u64 len = size < LDR_PAGE ? size : LDR_PAGE;
    struct late_head *head = heap_alloc(LDR_PAGE);
    if (!head)
        return NULL;
    bool good = len >= sizeof *head && sys_pread(fd, head, len, 0) == (long)len && head->tables >= sizeof *head && head->tables <= size &&
                head->tables <= LATE_TABLES_MOST;
    if (good && head->tables > len) {
        len = head->tables;
        heap_free(head);
        head = heap_alloc(len);
        good = head && sys_pread(fd, head, len, 0) == (long)len && head->tables == len;
    }
    if (good && head_sound(head, size, file))
        return head;
    heap_free(head);
    return NULL;
}

static void open_images(struct late *late)
{
    struct stat st;
    late->fd = store_open_file(cache.dir, late->name, &st);
    if (late->fd < 0)
        return;
    late->head = read_tables(late->fd, (u64)st.st_size, &late->file);
    if (!late->head) {
        sys_close(late->fd);
        late->fd = -1;
    }
}

/* ---- making, when nothing is there ----------------------------------------------------------------------------------- */

/* Once for a dlopen; what can never work in this process is not tried again. */
static bool begin_making(void)
{
    if (late_making || late_no_making || late_never_making)
        return late_making;
    late_no_making = true;
    if (session.config.record || cache_asked("verify") || !cache_may_make()) {
        late_never_making = true;
        return false;
    }
    cache.scratch = (struct arena){ .more = scratch_more, .zeroed = true };
    if (!cache_take_lock())
        return false;
    cache.catalog = catalog_read(NULL);
    /* Another catalog than the one this process's places come from (`ldr cache clear` in between) is no use. */
    if (!cache.catalog || cache.catalog->is_new || cache.catalog->head.base != session.gate) {
        late_never_making = true;
        return false;
    }
    session.bind_ahead = true;
    late_making = true;
    return true;
}

u64 late_place(struct object *object, const struct stat *st)
{
    if (!session.gate || !cache.dir_name || late_count == OPEN_MOST)
        return 0;
    if (!late_list && (cache.dir = store_reopen()) < 0) {
        if (cache.dir != -23 /* ENFILE */ && cache.dir != -24 /* EMFILE */)
            cache.dir_name = NULL;    /* not ours any more: the program has become somebody else */
        return 0;
    }
    struct late *late = heap_alloc(sizeof *late);
    if (!late)
        return 0;
    identity_of(st, &late->file);
    late->object = object;
    late->next = late_list;
    late_list = late;
    late_count++;
    object->file_hash = identity_hash(&late->file);
    name_of(&late->file, late->name);
    open_images(late);
    u64 span = object->image.plan.hi_page - object->image.plan.lo_page;
    object->image_waits = late->head && late->head->variant_count && !cache_asked("verify");
    if (cache_asked("verify")) {
        session.bind_ahead = true;    /* as images are made */
        cache.scratch.more = scratch_more;
        cache.scratch.zeroed = true;
    }
    if (late->head)
        return late->head->len == span ? late->head->start : 0;
    return !witness_young(&late->file) && begin_making() ? catalog_place(cache.catalog, st, &object->image.plan) : 0;
}

/* ---- situations ------------------------------------------------------------------------------------------------------ */

static void mix(u64 state[2], u64 word)
{
    state[0] = (state[0] ^ word) * 0xff51afd7ed558ccdull;
    state[0] ^= state[0] >> 32;
    state[1] = ((state[1] << 23 | state[1] >> 41) + (word ^ state[0])) * 0x9fb21c651e98df25ull;
    state[1] ^= state[1] >> 29;
}

/* Addresses in it are the same in every process of this catalog, or written anew into each. */
static bool lies_fixed(const struct object *object, bool *moves)
{
    *moves = object->is_vdso || (object->is_program && program_moves());
    return *moves || object->image.type == ET_EXEC || (object->place && object->place == object->map_start);
}

bool late_context(const struct object *object, enum bind_when when, u64 context[2])
{
    bool moves;
    context[0] = cache.seed[0];
    context[1] = cache.seed[1];
    /* As relocate_object decides. */
    mix(context, when == BIND_LAZY && !object->image.bind_now);
    for (u32 i = 0; i < object->scope_count; i++) {
        const struct scope *scope = object->scope[i];
        mix(context, scope->count);
        for (u32 k = 0; k < scope->count; k++) {
            const struct object *in = scope->object[k];
            if (!lies_fixed(in, &moves) || (!in->file_hash && !in->is_vdso))
                return false;
            mix(context, in->file_hash);
            mix(context, moves ? 1 : in->bias);
            mix(context, in->tls_module);
            mix(context, in->tls_offset);
        }
    }
    return true;
}

struct object *late_in_scopes(const struct object *object, u32 position)
{
    for (u32 i = 0; i < object->scope_count; i++) {
        if (position < object->scope[i]->count)
            return object->scope[i]->object[position];
        position -= object->scope[i]->count;
    }
    return NULL;
}

/* ---- taking one ------------------------------------------------------------------------------------------------------ */

static struct late *late_of(const struct object *object)
{
    struct late *late = late_list;
    while (late && late->object != object)
        late = late->next;
    return late;
}

bool late_has_room(const struct late_head *head)
{
    return !head->plain_why && head->variant_count < LATE_VARIANTS_MOST && head->image_count < LATE_IMAGES_MOST;
}

static const struct late_variant *variant_for(const struct late *late)
{
    const u64 *context = late->context;
    if (!late->situated || !late->head || late->head->plain_why || late->head->start != late->object->map_start)
        return NULL;
    const struct late_variant *variant = (const void *)((const u8 *)late->head + late->head->variants);
    for (u32 i = 0; i < late->head->variant_count; i++)
        if (variant[i].context[0] == context[0] && variant[i].context[1] == context[1])
            return &variant[i];
    if (late_has_room(late->head))
        begin_making();               /* a situation that is new */
    return NULL;
}

static bool note_bindings(struct object *object, const struct late_head *head, const struct late_variant *variant)
{
    const u32 *bound = (const void *)((const u8 *)head + variant->bound);
    for (u32 i = 0; i < variant->bound_count; i++) {
        struct object *to = late_in_scopes(object, bound[i]);
        if (!to)
            return false;
        object_note_binding(object, to);
    }
    return true;
}

static bool pieces_inside(const struct object *object, const struct late_image *image)
{
    const struct plan *plan = &object->image.plan;
    for (u32 i = 0; i < image->piece_count; i++)
        if (image->piece[i].vaddr < plan->lo_page || image->piece[i].vaddr > plan->hi_page || plan->hi_page - image->piece[i].vaddr < image->piece[i].len)
            return false;
    return true;
}

int late_take(struct object *object, enum bind_when when)
{
    struct late *late = late_of(object);
    if (late)
        late->situated = late_context(object, when, late->context);
    const struct late_variant *variant = late ? variant_for(late) : NULL;
    if (late && late->head && late->head->plain_why && WATCHED(WATCH_CACHE | WATCH_RECORD))
        tell_late(late, NULL, false);
    if (!variant)
        return 0;
    if (cache_asked("verify")) {
        late->expected = variant;
        return 0;
    }
    const struct late_head *head = late->head;
    const struct late_image *image = (const struct late_image *)((const u8 *)head + head->images) + variant->image;
    if (!pieces_inside(object, image) || !note_bindings(object, head, variant))
        return 0;
    /* Half mapped it is neither the file's nor the image's: the whole dlopen fails, as when memory for data is short. */
    if (attach_pieces(object->bias, image->piece, image->piece_count, image->own_words, true, &late->fd, MAP_FIXED) < image->piece_count)
        return report_values(&session.report, LDR_E_NO_MEMORY, object->path, image->piece_count, 0, 0);
    const struct patch *patch = (const void *)((const u8 *)head + image->patches);
    for (u32 i = 0; i < image->patch_count; i++)
        *(u64 *)(object->bias + patch[i].vaddr) = session.program->bias + patch[i].addend;
    object->shared = late->taken = true;
    object->sealed_already = !image->own_words;
    object->state = OBJECT_RELOCATED;
    if (WATCHED(WATCH_CACHE | WATCH_RECORD))
        tell_late(late, image, false);
    return 1;
}

/* It could not be mapped, or may not be taken. */
void late_discarded(const struct object *object)
{
    struct late *late = late_of(object);
    if (late)
        late->object = NULL;
}

/* ---- the end of a dlopen --------------------------------------------------------------------------------------------- */

int late_opened(bool whole)
{
    int err = 0;
    if (!late_list)
        return 0;
    if (whole && (late_making || cache_asked("verify")))
        err = late_keep(late_list);
    for (struct late *late = late_list, *next; late; late = next) {
        next = late->next;
        if (late->fd >= 0)
            sys_close(late->fd);
        heap_free((void *)late->head);
        heap_free(late);
    }
    late_list = NULL;
    late_count = 0;
    /* Closing does not give it back while a child forked meanwhile has it too. */
    if (cache.lock >= 0)
        sys_flock(cache.lock, LOCK_GIVE_BACK);
    cache_close();
    if (cache.scratch.more)
        scratch_free(&cache.scratch);
    cache.scratch = (struct arena){ 0 };
    cache.catalog = NULL;
    session.bind_ahead = late_making = late_no_making = false;
    return err;
}
