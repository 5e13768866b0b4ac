/* aliases.c - files that file identity takes for two and that may be one. Pure.
 *
 * Overlay mounts over one lower folder, and the folder itself, show one file under several devices, with one inode number and the same
 * pages in memory. Frame numbers tell; (device, inode) does not.
 */
#include "pages.h"
#include "../ldr.h"

#include <stdlib.h>
#include <string.h>

static const char *base_name(const struct object *object) {
    const char *slash = strrchr(object->path, '/');
    return slash ? slash + 1 : object->path;
}

bool objects_may_be_one(const struct object *a, const struct object *b) {
    if (a->ino != b->ino || a->dev == b->dev || a->kind != b->kind || (a->kind != OBJECT_ELF && a->kind != OBJECT_FILE))
        return false;
    if (a->build_id_len && b->build_id_len)
        return a->build_id_len == b->build_id_len && memcmp(a->build_id, b->build_id, a->build_id_len) == 0;
    return a->file_len == b->file_len && strcmp(base_name(a), base_name(b)) == 0;
}

static int compare_inodes(const void *a, const void *b) {
    const struct object *x = *(const struct object *const *)a, *y = *(const struct object *const *)b;
    if (x->ino != y->ino)
        return x->ino < y->ino ? -1 : 1;
    return x < y ? -1 : x > y;
}

uint64_t objects_unsure(const struct snapshot *snapshot) {
    if (snapshot->method != METHOD_IDENTITY)
        return 0;
    const struct object **sorted = must_alloc(snapshot->object_count, sizeof *sorted);
    size_t count = snapshot->object_count;
    for (size_t i = 0; i < count; i++)
        sorted[i] = &snapshot->objects[i];
    qsort(sorted, count, sizeof *sorted, compare_inodes);
    uint64_t unsure = 0;
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && sorted[end]->ino == sorted[i]->ino; end++)
            ;
        for (size_t k = i; k < end; k++)
            for (size_t other = i; other < end; other++)
                if (objects_may_be_one(sorted[k], sorted[other])) {
                    unsure++;
                    break;
                }
    }
    free(sorted);
    return unsure;
}
