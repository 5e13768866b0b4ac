/* catalog.c - the images that the catalog lists, and which files they are of. */
#include "store.h"
#include "../ldr.h"

#include <stdlib.h>
#include <string.h>

/* The catalog knows files by their identity; their names stand in records. */
static const char *path_of(const struct cache_dir *store, const struct file_identity *file) {
    for (size_t i = 0; i < store->start_count; i++)
        for (size_t k = 0; k < store->starts[i].object_count; k++)
            if (store->starts[i].objects[k].kind != KIND_KERNEL && memcmp(&store->starts[i].objects[k].file, file, sizeof *file) == 0)
                return store->starts[i].objects[k].path;
    return NULL;
}

static void mark_packs(struct cache_dir *store, const struct pack_ref *ref, u32 count) {
    for (u32 i = 0; i < count; i++)
        for (size_t k = 0; k < store->pack_count; k++)
            if (strncmp(store->packs[k].name, ref[i].name, sizeof ref[i].name) == 0)
                store->packs[k].in_catalog = true;
}

static bool add_image(struct cache_dir *store, const struct known_image *from, const struct place *place, u32 place_count, const struct pack_ref *packs,
                      u32 pack_count) {
    if (from->place >= place_count || from->piece_count > PIECES_MOST)
        return false;
    struct cached_image *to = &store->images[store->image_count];
    *to = (struct cached_image){ .file = place[from->place].file };
    for (u32 i = 0; i < from->piece_count; i++) {
        u64 pages = from->pieces[i].len / LDR_PAGE;
        if (pages > 1ull << 28)
            return false;
        to->pages += pages;
        to->read_only += from->pieces[i].sealed ? pages : 0;
        if (from->pieces[i].pack >= pack_count)
            return false;
        if (pages)
            to->parts[to->part_count++] = (struct use_range){ .ino = packs[from->pieces[i].pack].is.ino, .page = from->pieces[i].off / LDR_PAGE, .pages = pages };
    }
    to->path = path_of(store, &to->file);
    store->image_count++;
    return true;
}

/* Variants of one file stand together, the largest object first. */
static int compare_images(const void *a, const void *b) {
    const struct cached_image *x = a, *y = b;
    if (x->pages != y->pages)
        return x->pages < y->pages ? 1 : -1;
    return memcmp(&x->file, &y->file, sizeof x->file);
}

static char *read_images(struct cache_dir *store, const struct bytes *bytes) {
    const struct catalog_head *head = bytes_at(bytes, 0, 1, sizeof *head);
    if (!head)
        return must_format("%llu bytes long, expected %zu at least", (unsigned long long)bytes->len, sizeof *head);
    if (head->magic != CATALOG_MAGIC)
        return must_format("begins with %016llx, expected %016llx", (unsigned long long)head->magic, CATALOG_MAGIC);
    if (head->size != bytes->len)
        return must_format("%llu bytes long, expected %llu", (unsigned long long)bytes->len, (unsigned long long)head->size);
    if (head->sum != cache_sum(bytes->at + 24, bytes->len - 24))
        return must_format("its sum is not %016llx", (unsigned long long)head->sum);
    if (memcmp(head->boot, store->boot, sizeof store->boot) != 0)
        return must_format("made before the last boot");
    const struct place *place = bytes_at(bytes, head->places, head->place_count, sizeof *place);
    const struct known_image *image = bytes_at(bytes, head->images, head->image_count, sizeof *image);
    const struct pack_ref *pack = bytes_at(bytes, head->packs, head->pack_count, sizeof *pack);
    if (!place || !image || !pack)
        return must_format("its tables lie outside the file");
    store->place_count = head->place_count;
    store->images = must_alloc(head->image_count, sizeof *store->images);
    for (u32 i = 0; i < head->image_count; i++)
        if (!add_image(store, &image[i], place, head->place_count, pack, head->pack_count))
            return must_format("image %u cannot be read", i);
    qsort(store->images, store->image_count, sizeof *store->images, compare_images);
    mark_packs(store, pack, head->pack_count);
    return NULL;
}

void catalog_read(struct cache_dir *store, const struct bytes *bytes) {
    store->catalog_why = read_images(store, bytes);
}
