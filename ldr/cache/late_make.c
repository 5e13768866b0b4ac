/* late_make.c - writing, and verifying, the images of what dlopen brought: between relocation and the sealing of RELRO, before any code of
 * the new objects has run. Written by the process itself while dlopen waits: a process beside, as start-up has, would have to copy the
 * page tables of one that may be large by now. Under the maker's lock; whatever goes wrong leaves things as they were. */
#include "cache_private.h"
#include "../arch/arch.h"
#include "../debug/events.h"

#define EVICT_EVERY 64u               /* new places: then it is looked whether there is too much */

static const struct late_image *images_of(const struct late_head *head)
{
    return (const struct late_image *)((const u8 *)head + head->images);
}

static const struct late_variant *variants_of(const struct late_head *head)
{
    return (const struct late_variant *)((const u8 *)head + head->variants);
}

/* ---- which objects --------------------------------------------------------------------------------------------------- */

/* A block below the thread pointer is given while relocating, and a descriptor may lie in this process's heap: both are more than words. */
static bool has_static_tls(const struct rela_table *table)
{
    for (u64 i = 0; i < table->count; i++) {
        u32 class = arch_reloc_kind((u32)ELF64_R_TYPE(table->at[i].r_info)).class;
        if (class == RELOC_TLS_TPOFF || class == RELOC_TLS_DESC)
            return true;
    }
    return false;
}

static enum plain_why plain_why(const struct object *object, struct draft *draft)
{
    if (has_static_tls(&object->image.rela) || has_static_tls(&object->image.plt))
        return PLAIN_STATIC_TLS;
    if (object->bound_unique)
        return PLAIN_UNIQUE;
    draft_object(draft, (struct object *)object);
    return draft->plain_why;
}

/* Neither changed since it was opened nor about to change within the same tick of its clock. */
static bool file_stands(const struct late *late)
{
    struct stat st;
    return sys_stat(late->object->real_path, &st) == 0 && identity_equal(&late->file, &st) && !witness_young(&late->file);
}

/* ---- comparing ------------------------------------------------------------------------------------------------------- */

static bool patches_equal(const struct draft *draft, const struct late_head *head, const struct late_image *image)
{
    if (draft->patch_count != image->patch_count)
        return false;
    struct patch *mine = arena_alloc(&cache.scratch, (draft->patch_count + 1) * sizeof *mine);
    if (!mine)
        return false;
    draft_patches(draft, mine);
    return memcmp(mine, (const u8 *)head + image->patches, draft->patch_count * sizeof *mine) == 0;
}

static bool image_equals(const struct draft *draft, const struct late *late, const struct late_image *image)
{
    bool equal = draft->piece_count == image->piece_count && draft->own_words == image->own_words && patches_equal(draft, late->head, image);
    for (u32 i = 0; i < image->piece_count && equal; i++) {
        const struct piece *want = &draft->piece[i], *have = &image->piece[i];
        if (have->vaddr != want->vaddr || have->len != want->len || have->sealed != want->sealed)
            return false;
        const u8 *bytes = sys_mmap(NULL, have->len, PROT_READ, MAP_PRIVATE, late->fd, have->off);
        if (sys_failed(bytes))
            return false;
        equal = draft_piece_equals(draft, want, bytes);
        sys_munmap((void *)bytes, have->len);
    }
    return equal;
}

static int verify(const struct late *late)
{
    struct draft draft;
    const struct late_image *image = images_of(late->head) + late->expected->image;
    if (plain_why(late->object, &draft) == PLAIN_NOT && image_equals(&draft, late, image))
        return 0;
    return report_values(&session.report, LDR_E_CACHE, late->object->path, late->expected->image, image->piece_count, late->object->map_start);
}

/* ---- writing --------------------------------------------------------------------------------------------------------- */

struct tables { u8 *at; u64 len, room; };

static u32 put(struct tables *tables, const void *bytes, u64 len)
{
    u64 at = align_up(tables->len, 8);
    if (len > tables->room || at > tables->room - len)
        return 0;                     /* room was counted: cannot be */
    if (bytes && len)
        memcpy(tables->at + at, bytes, len);
    tables->len = at + len;
    return (u32)at;
}

/* Objects that the new one uses without needing them, as positions in its scopes. */
static u32 put_bound(struct tables *tables, const struct object *object)
{
    u32 at = put(tables, NULL, object->bound_count * sizeof(u32));
    for (u32 i = 0; i < object->bound_count; i++) {
        u32 position = 0;
        const struct object *in;
        while ((in = late_in_scopes(object, position)) && in != object->bound_to[i])
            position++;
        ((u32 *)(tables->at + at))[i] = position;
    }
    return at;
}

static u64 pages_sum(int fd, const struct late_image *image)
{
    u64 sum = 0;
    for (u32 i = 0; i < image->piece_count; i++) {
        const u8 *bytes = sys_mmap(NULL, image->piece[i].len, PROT_READ, MAP_PRIVATE, fd, image->piece[i].off);
        if (sys_failed(bytes))
            return 0;
        sum = sum * 31 + cache_sum(bytes, image->piece[i].len);
        sys_munmap((void *)bytes, image->piece[i].len);
    }
    return sum;
}

static void copy_pages(struct writer *to, int from, struct late_image *image)
{
    for (u32 i = 0; i < image->piece_count; i++) {
        struct piece *piece = &image->piece[i];
        const u8 *bytes = sys_mmap(NULL, piece->len, PROT_READ, MAP_PRIVATE, from, piece->off);
        if (sys_failed(bytes)) {
            to->failed = true;
            return;
        }
        piece->off = to->at;
        writer_put(to, bytes, piece->len);
        sys_munmap((void *)bytes, piece->len);
    }
}

/* What was in the file, and behind it, when `draft` is not NULL, one more variant; its image is `equal` when that is a number of one. */
static void fill_tables(struct tables *tables, const struct late *late, struct draft *draft, u32 equal, const u64 context[2])
{
    const struct late_head *old = late->head;
    struct late_head *head = (struct late_head *)tables->at;
    u32 variants = old ? old->variant_count : 0, images = old ? old->image_count : 0, more = draft != NULL;
    head->variants = put(tables, old ? variants_of(old) : NULL, 0);
    put(tables, NULL, (variants + more) * sizeof(struct late_variant));
    head->images = put(tables, NULL, (images + (more && equal == images)) * sizeof(struct late_image));
    head->variant_count = variants + more;
    head->image_count = images + (more && equal == images);
    struct late_variant *variant = (struct late_variant *)(tables->at + head->variants);
    struct late_image *image = (struct late_image *)(tables->at + head->images);
    for (u32 i = 0; i < variants; i++) {
        variant[i] = variants_of(old)[i];
        variant[i].bound = put(tables, (const u8 *)old + variant[i].bound, variant[i].bound_count * sizeof(u32));
    }
    for (u32 i = 0; i < images; i++) {
        image[i] = images_of(old)[i];
        image[i].patches = put(tables, (const u8 *)old + image[i].patches, image[i].patch_count * sizeof(struct patch));
    }
    if (!more)
        return;
    variant[variants] = (struct late_variant){ .context = { context[0], context[1] }, .image = equal, .bound_count = late->object->bound_count };
    variant[variants].bound = put_bound(tables, late->object);
    if (equal != images)
        return;
    image[images] = (struct late_image){ .piece_count = draft->piece_count, .patch_count = draft->patch_count, .own_words = draft->own_words };
    image[images].patches = put(tables, NULL, draft->patch_count * sizeof(struct patch));
    draft_patches(draft, (struct patch *)(tables->at + image[images].patches));
    memcpy(image[images].piece, draft->piece, sizeof draft->piece);
}

static bool write_file(struct late *late, struct draft *draft, u32 equal, const u64 context[2], enum plain_why why)
{
    const struct late_head *old = late->head;
    u32 old_images = old ? old->image_count : 0;
    struct tables tables = { .room = sizeof *old + (old ? old->tables : 0) + sizeof(struct late_variant) + sizeof(struct late_image) +
                                     late->object->bound_count * sizeof(u32) + (draft ? draft->patch_count * sizeof(struct patch) : 0) + strlen(late->object->real_path) + 128 };
    struct writer writer;
    const struct place *place = catalog_find_place(cache.catalog, &late->file);
    if (!place || tables.room > LATE_TABLES_MOST || !(tables.at = arena_zalloc(&cache.scratch, tables.room)) || !writer_start(&writer, cache.dir))
        return false;
    struct late_head *head = (struct late_head *)tables.at;
    *head = (struct late_head){ .magic = LATE_MAGIC, .gate = session.gate, .file = late->file, .plain_why = why,
                                .start = place->start, .len = place->len };
    memcpy(head->boot, cache.boot, sizeof head->boot);
    tables.len = sizeof *head;
    head->path = put(&tables, late->object->real_path, strlen(late->object->real_path) + 1);
    fill_tables(&tables, late, draft, equal, context);
    struct late_image *image = (struct late_image *)(tables.at + head->images);
    writer.at = align_up(tables.len, LDR_PAGE);
    for (u32 i = 0; i < head->image_count; i++)
        if (i < old_images)
            copy_pages(&writer, late->fd, &image[i]);
        else
            for (u32 k = 0; k < draft->piece_count; k++)
                draft_write_piece(draft, &image[i].piece[k], &writer);
    if (head->image_count > old_images && !writer.failed)      /* else there are not as many bytes */
        image[old_images].sum = pages_sum(writer.fd, &image[old_images]);
    head->size = writer.at;
    head->tables = (u32)tables.len;
    head->sum = cache_sum(tables.at + 24, tables.len - 24);
    writer.at = 0;
    writer_put(&writer, tables.at, tables.len);
    /* A file without images ends behind its tables, not with the page. */
    if (!writer.failed && head->image_count == 0)
        writer.failed = sys_call(__NR_ftruncate, writer.fd, (long)head->size, 0, 0, 0, 0) != 0;
    if (!writer_end(&writer, late->name))
        return false;
    if (draft && WATCHED(WATCH_CACHE))
        tell_late(late, &image[equal], equal == old_images);
    return true;
}

/* Images may not lie where the next maker would put something else: the catalog first. Only when something is written at all. */
static bool catalog_stands(void)
{
    struct catalog *catalog = cache.catalog;
    if (!catalog->changed)
        return true;
    catalog->changed = !catalog_write(catalog);
    return !catalog->changed;
}

static void keep(struct late *late)
{
    struct draft draft;
    const struct late_head *old = late->head;
    struct object *object = late->object;
    if (!object || late->taken || object->state < OBJECT_RELOCATED || !object->place || object->place != object->map_start || (old && !late_has_room(old)) || !file_stands(late) || !catalog_stands())
        return;
    enum plain_why why = plain_why(object, &draft);
    u32 equal = 0;
    if (why) {
        write_file(late, NULL, 0, NULL, why);
        return;
    }
    if (!late->situated)
        return;
    while (old && equal < old->image_count && !image_equals(&draft, late, images_of(old) + equal))
        equal++;
    write_file(late, &draft, equal, late->context, PLAIN_NOT);
}

int late_keep(struct late *list)
{
    if (cache_asked("verify")) {
        int err = 0;
        for (struct late *late = list; late && !err; late = late->next)
            err = late->expected ? verify(late) : 0;
        return err;
    }
    u32 places = cache.catalog->head.place_count;
    for (struct late *late = list; late; late = late->next)
        keep(late);
    if (places / EVICT_EVERY != cache.catalog->places_read / EVICT_EVERY)
        evict_late();
    return 0;
}
