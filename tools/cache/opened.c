/* opened.c - images of what programs opened themselves (dlopen): one file for each library, which describes itself. */
#include "store.h"
#include "../ldr.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool is_opened(const struct pack *pack) { return strncmp(pack->name, "l-", 2) == 0; }

/* Why the tables cannot be believed (malloc'd); NULL: they can, and every image's pages lie in the file. */
static char *judge(const struct pack *pack, const struct bytes *bytes, const struct late_head **out) {
    const struct late_head *head = bytes_at(bytes, 0, 1, sizeof *head);
    if (!head || head->magic != LATE_MAGIC)
        return must_format("%s: not images of what was opened", pack->name);
    if (head->size != bytes->len)
        return must_format("%s: %llu bytes long, expected %llu", pack->name, (unsigned long long)bytes->len, (unsigned long long)head->size);
    if (head->tables < sizeof *head || head->tables > bytes->len)
        return must_format("%s: tables of %u bytes, expected %zu to %llu", pack->name, head->tables, sizeof *head, (unsigned long long)bytes->len);
    if (head->sum != cache_sum(bytes->at + 24, head->tables - 24))
        return must_format("%s: its sum is not %016llx", pack->name, (unsigned long long)head->sum);
    const struct late_image *image = bytes_at(bytes, head->images, head->image_count, sizeof *image);
    bool good = image || !head->image_count;
    for (u32 i = 0; good && i < head->image_count; i++) {
        good = image[i].piece_count <= PIECES_MOST;
        for (u32 k = 0; good && k < image[i].piece_count; k++)
            good = bytes_at(bytes, image[i].piece[k].off, image[i].piece[k].len, 1) != NULL;
    }
    if (!good)
        return must_format("%s: its tables lie outside the file", pack->name);
    *out = head;
    return NULL;
}

static char *read_opened(const struct cache_dir *store, const struct pack *pack, struct bytes *bytes, const struct late_head **head) {
    struct stat st;
    char *why = cache_file(store, pack->name, OPENED_MOST, &st, bytes);
    return why ? why : judge(pack, bytes, head);
}

static void add_images(struct cache_dir *store, const struct pack *pack, const struct bytes *bytes, const struct late_head *head) {
    const struct late_image *image = bytes_at(bytes, head->images, head->image_count, sizeof *image);
    for (u32 i = 0; i < head->image_count; i++) {
        store->images = must_grow(store->images, store->image_count + 1, sizeof *store->images);
        struct cached_image *to = &store->images[store->image_count++];
        *to = (struct cached_image){ .file = head->file };
        const char *path = bytes_at(bytes, head->path, 1, 1);
        to->opened_path = path && memchr(path, 0, bytes->len - head->path) ? must_format("%s", path) : NULL;
        to->path = to->opened_path;
        for (u32 k = 0; k < image[i].piece_count; k++) {
            u64 pages = image[i].piece[k].len / LDR_PAGE;
            to->pages += pages;
            to->read_only += image[i].piece[k].sealed ? pages : 0;
            to->parts[to->part_count++] = (struct use_range){ .ino = pack->ino, .page = image[i].piece[k].off / LDR_PAGE, .pages = pages };
        }
    }
}

void opened_read(struct cache_dir *store) {
    for (size_t i = 0; i < store->pack_count; i++) {
        struct bytes bytes = { 0 };
        const struct late_head *head;
        char *why = is_opened(&store->packs[i]) ? read_opened(store, &store->packs[i], &bytes, &head) : NULL;
        /* What was made before the last boot is whole all the same: it is no image that anybody uses. */
        if (is_opened(&store->packs[i]) && !why && memcmp(head->boot, store->boot, sizeof store->boot) == 0)
            add_images(store, &store->packs[i], &bytes, head);
        free(why);
        free(bytes.at);
    }
}

char *opened_damage(const struct cache_dir *store, const struct pack *pack) {
    struct bytes bytes = { 0 };
    const struct late_head *head;
    char *why = read_opened(store, pack, &bytes, &head);
    const struct late_image *image = why ? NULL : bytes_at(&bytes, head->images, head->image_count, sizeof *image);
    for (u32 i = 0; image && !why && i < head->image_count; i++) {
        u64 sum = 0;
        for (u32 k = 0; k < image[i].piece_count; k++)
            sum = sum * 31 + cache_sum(bytes.at + image[i].piece[k].off, image[i].piece[k].len);
        if (sum != image[i].sum)
            why = must_format("%s: the sum of image %u's pages is %016llx, expected %016llx", pack->name, i, (unsigned long long)sum, (unsigned long long)image[i].sum);
    }
    free(bytes.at);
    return why;
}
