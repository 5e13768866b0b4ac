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

/* Objects that are not listed take no name from others. */
static bool takes_name(const struct report *report, size_t index) {
    return report->collection->snapshot.method == METHOD_SMAPS || counts_any(&report->tally->objects[index]);
}

struct called { const char *last, *path; size_t index; };

static int compare_called(const void *a, const void *b) {
    const struct called *x = a, *y = b;
    int order = strcmp(x->last, y->last);
    return order ? order : strcmp(x->path, y->path);
}

struct name_clash *name_clashes(const struct report *report) {
    const struct snapshot *snapshot = &report->collection->snapshot;
    struct name_clash *clashes = must_alloc(snapshot->object_count + 1, sizeof *clashes);
    struct called *list = must_alloc(snapshot->object_count + 1, sizeof *list);
    size_t count = 0;
    for (size_t i = 0; i < snapshot->object_count; i++)
        if (takes_name(report, i))
            list[count++] = (struct called){ file_name(snapshot->objects[i].path), snapshot->objects[i].path, i };
    qsort(list, count, sizeof *list, compare_called);
    for (size_t first = 0, end; first < count; first = end) {
        for (end = first + 1; end < count && strcmp(list[end].last, list[first].last) == 0; end++)
            ;
        bool paths = strcmp(list[first].path, list[end - 1].path) != 0;
        for (size_t i = first; i < end; i++)
            clashes[list[i].index] = (struct name_clash){
                .last = paths,
                .path = (i > first && strcmp(list[i - 1].path, list[i].path) == 0) || (i + 1 < end && strcmp(list[i + 1].path, list[i].path) == 0),
            };
    }
    free(list);
    return clashes;
}

char *object_called(const struct report *report, size_t index, struct name_clash clash) {
    const struct object *object = &report->collection->snapshot.objects[index];
    char *name = clean_text(clash.last ? object->path : file_name(object->path));
    if (!clash.path)
        return name;
    char *told = must_format("%s (%02x:%02x:%" PRIu64 ")", name, major(object->dev), minor(object->dev), object->ino);
    free(name);
    return told;
}

char *object_name(const struct report *report, size_t index, bool whole) {
    const struct snapshot *snapshot = &report->collection->snapshot;
    const char *path = snapshot->objects[index].path, *last = file_name(path);
    struct name_clash clash = { .last = whole };
    for (size_t i = 0; i < snapshot->object_count; i++) {
        if (i == index || !takes_name(report, i))
            continue;
        if (strcmp(snapshot->objects[i].path, path) == 0)
            clash.path = true;
        else
            clash.last |= strcmp(file_name(snapshot->objects[i].path), last) == 0;
    }
    return object_called(report, index, clash);
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
