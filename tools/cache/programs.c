/* programs.c - which starts use which image, and who runs from them now. Records name places in packs; so do the catalog's images. */
#include "store.h"
#include "../ldr.h"

#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

static int compare_ranges(const void *a, const void *b) {
    const struct use_range *x = a, *y = b;
    if (x->ino != y->ino)
        return x->ino < y->ino ? -1 : 1;
    return x->page < y->page ? -1 : x->page > y->page;
}

static struct use_range *list_ranges(const struct cache_dir *store, size_t *count) {
    struct use_range *ranges = must_alloc(store->image_count * PIECES_MOST, sizeof *ranges);
    *count = 0;
    for (size_t i = 0; i < store->image_count; i++)
        for (size_t k = 0; k < store->images[i].part_count; k++) {
            ranges[*count] = store->images[i].parts[k];
            ranges[(*count)++].image = (uint32_t)i;
        }
    qsort(ranges, *count, sizeof *ranges, compare_ranges);
    return ranges;
}

/* The image whose piece begins there. */
static struct cached_image *image_at(const struct cache_dir *store, const struct use_range *ranges, size_t count, const struct start_object *object) {
    struct use_range want = { .ino = object->pack_ino, .page = object->pack_page };
    const struct use_range *found = object->pages ? bsearch(&want, ranges, count, sizeof *ranges, compare_ranges) : NULL;
    return found ? &store->images[found->image] : NULL;
}

void cache_join(struct cache_dir *store, bool stale) {
    size_t count;
    struct use_range *ranges = list_ranges(store, &count);
    for (size_t i = 0; i < store->start_count; i++)
        for (size_t k = 0; (stale || store->starts[i].state == START_VALID) && k < store->starts[i].object_count; k++) {
            struct cached_image *image = image_at(store, ranges, count, &store->starts[i].objects[k]);
            if (!image)
                continue;
            image->starts = must_grow(image->starts, image->start_count + 1, sizeof *image->starts);
            image->starts[image->start_count++] = i;
        }
    free(ranges);
}

static int compare_files(const void *a, const void *b) {
    const struct use_file *x = a, *y = b;
    return x->ino < y->ino ? -1 : x->ino > y->ino;
}

static size_t users_of(const struct use_file *files, size_t count, uint64_t ino) {
    struct use_file want = { .ino = ino };
    const struct use_file *file = bsearch(&want, files, count, sizeof *files, compare_files);
    return file ? file->users : 0;
}

static void find_users(struct cache_dir *store, const struct use_range *ranges, size_t range_count) {
    size_t count = 0;
    struct use_file *files = must_alloc(store->start_count + store->pack_count, sizeof *files);
    struct use_image *images = must_alloc(store->image_count, sizeof *images);
    for (size_t i = 0; i < store->start_count; i++)
        files[count++].ino = store->starts[i].ino;
    for (size_t i = 0; i < store->pack_count; i++)
        files[count++].ino = store->packs[i].ino;
    qsort(files, count, sizeof *files, compare_files);
    if (store->pack_count)
        use_read(store->dir, store->packs[0].name, files, count, ranges, range_count, images, store->image_count, &store->use);
    for (size_t i = 0; i < store->start_count; i++)
        store->starts[i].users = users_of(files, count, store->starts[i].ino);
    for (size_t i = 0; i < store->pack_count; i++)
        store->packs[i].users = users_of(files, count, store->packs[i].ino);
    for (size_t i = 0; i < store->image_count; i++)
        store->images[i].use = images[i];
    free(images);
    free(files);
}

void cache_find_use(struct cache_dir *store) {
    struct statvfs fs;
    size_t count;
    cache_join(store, false);
    struct use_range *ranges = list_ranges(store, &count);
    find_users(store, ranges, count);
    store->read_times = fstatvfs(store->dir, &fs) != 0 || fs.f_flag & ST_NOATIME ? READ_TIMES_NONE : fs.f_flag & ST_RELATIME ? READ_TIMES_DAY : READ_TIMES_EXACT;
    free(ranges);
}
