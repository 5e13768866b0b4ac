/* report_order.c - what a report shows and in which order: objects by their pages, owners by what they share. Every view asks here, so that
 * no two disagree. */
#include "ldr.h"
#include "report.h"
#include "views/table.h"
#include "views/views.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

const char *method_name(enum method method) {
    static const char *const names[] = { [METHOD_FRAMES] = "pfn", [METHOD_IDENTITY] = "file-identity", [METHOD_SMAPS] = "smaps" };
    return names[method];
}

bool counts_any(const struct counts *counts) {
    uint64_t pages = 0;
    for (size_t class = 0; class < CLASSES; class++)
        pages += counts->classes[class];
    return pages != 0;
}

struct sharer { uint32_t owner; uint64_t shared; };

static int compare_sharers(const void *a, const void *b) {
    const struct sharer *x = a, *y = b;
    if (x->shared != y->shared)
        return x->shared > y->shared ? -1 : 1;
    return x->owner < y->owner ? -1 : 1;
}

static int compare_numbers(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

uint32_t *matrix_owners(const struct report *report, size_t max, size_t *count) {
    size_t all = report->collection->snapshot.owner_count;
    struct sharer *sharers = must_alloc(all, sizeof *sharers);
    for (size_t i = 0; i < all; i++)
        sharers[i] = (struct sharer){ (uint32_t)i, report->tally->owners[i].shared };
    qsort(sharers, all, sizeof *sharers, compare_sharers);
    *count = all < max ? all : max;
    uint32_t *owners = must_alloc(*count, sizeof *owners);
    for (size_t i = 0; i < *count; i++)
        owners[i] = sharers[i].owner;
    qsort(owners, *count, sizeof *owners, compare_numbers);
    free(sharers);
    return owners;
}

char *object_name(const struct report *report, size_t index, bool whole) {
    const struct snapshot *snapshot = &report->collection->snapshot;
    const struct object *object = &snapshot->objects[index];
    const char *last = file_name(object->path);
    bool same_path = false;
    for (size_t i = 0; i < snapshot->object_count; i++) {
        if (i == index || (snapshot->method != METHOD_SMAPS && !counts_any(&report->tally->objects[i])))
            continue;
        if (strcmp(snapshot->objects[i].path, object->path) == 0)
            same_path = true;
        else
            whole |= strcmp(file_name(snapshot->objects[i].path), last) == 0;
    }
    char *name = clean_text(whole ? object->path : last);
    if (!same_path)
        return name;
    char *told = must_format("%s (%02x:%02x:%" PRIu64 ")", name, major(object->dev), minor(object->dev), object->ino);
    free(name);
    return told;
}

struct ordered { size_t index; uint64_t pages; const struct object *object; };

static int compare_objects(const void *a, const void *b) {
    const struct ordered *x = a, *y = b;
    if (x->pages != y->pages)
        return x->pages > y->pages ? -1 : 1;
    int order = strcmp(x->object->path, y->object->path);
    if (order)
        return order;
    if (x->object->dev != y->object->dev)
        return x->object->dev < y->object->dev ? -1 : 1;
    return x->object->ino < y->object->ino ? -1 : 1;
}

size_t *object_order(const struct report *report, size_t *count) {
    const struct snapshot *snapshot = &report->collection->snapshot;
    struct ordered *list = must_alloc(snapshot->object_count, sizeof *list);
    *count = 0;
    for (size_t i = 0; i < snapshot->object_count; i++)
        if (counts_any(&report->tally->objects[i]))
            list[(*count)++] = (struct ordered){ i, report->tally->objects[i].pages, &snapshot->objects[i] };
    qsort(list, *count, sizeof *list, compare_objects);
    size_t *order = must_alloc(*count, sizeof *order);
    for (size_t i = 0; i < *count; i++)
        order[i] = list[i].index;
    free(list);
    return order;
}
