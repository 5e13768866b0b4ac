/* report_kept.c - a report that was kept, back from its document to what the text is made from, so that the text of a recording and of
 * the processes themselves is printed by the same lines.
 *
 * Documents were checked (views/check.c), but may have been made up: every index in them is compared here.
 */
#include "ldr.h"
#include "report.h"
#include "views/views.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

static void read_counts(const struct json_object *from, struct counts *counts) {
    for (size_t i = 0; i < COUNT_NAMES; i++)
        *(uint64_t *)((char *)counts + count_offsets[i]) = member_count(from, count_names[i]);
    for (size_t class = 0; class < CLASSES; class++)
        counts->classes[class] = member_count(member_object(from, "classes"), class_key((enum page_class)class));
}

static enum segment_kind segment_kind(const char *name) {
    size_t kind = 0;
    while (kind < SEGMENT_KINDS && strcmp(segment_name((enum segment_kind)kind), name) != 0)
        kind++;
    return (enum segment_kind)kind;
}

static uint64_t read_device(const struct json_object *from) {
    unsigned major_part, minor_part;
    return sscanf(member_text(from, "device"), "%x:%x", &major_part, &minor_part) == 2 ? makedev(major_part, minor_part) : 0;
}

static void read_object(struct kept_report *kept, size_t index, const struct json_object *from) {
    struct object *object = &kept->collection.snapshot.objects[index];
    struct tally *tally = &kept->tally;
    object->path = must_format("%s", member_text(from, "path"));
    object->dev = read_device(from);
    object->ino = member_count(from, "inode");
    kept->cached[index] = json_object_object_get_ex(from, "pages_cached_unmapped", NULL) ? member_count(from, "pages_cached_unmapped") : NOT_CACHED;
    read_counts(from, &tally->objects[index]);
    tally->object_owners[index] = (uint32_t)member_count(from, "processes");
    tally->first_row[index] = (uint32_t)(index * SEGMENT_KINDS);
    for (size_t kind = 0; kind < SEGMENT_KINDS; kind++)
        tally->rows[index * SEGMENT_KINDS + kind] = (struct row){ .object = (uint32_t)index, .kind = (enum segment_kind)kind };
    struct json_object *segments = member_list(from, "segments");
    for (size_t i = 0; i < list_length(segments); i++) {
        enum segment_kind kind = segment_kind(member_text(list_item(segments, i), "segment"));
        if (kind == SEGMENT_KINDS)
            continue;
        struct row *row = &tally->rows[index * SEGMENT_KINDS + kind];
        row->owners = (uint32_t)member_count(list_item(segments, i), "processes");
        read_counts(list_item(segments, i), &row->counts);
        counts_add(&tally->kinds[kind], &row->counts);
    }
}

static void read_process(struct kept_report *kept, size_t index, struct json_object *from) {
    struct owner_name *name = &kept->collection.names[index];
    name->name = member_text(from, "name");
    name->pids = must_alloc(1, sizeof *name->pids);
    name->pids[0] = (pid_t)member_pid(from);
    name->pid_count = 1;
    name->facts = (struct proc_facts){ .rss_pages = member_count(from, "rss_pages"), .swap_pages = member_count(from, "swap_pages"),
                                       .page_table_kib = member_count(from, "page_table_kib") };
    read_counts(from, &kept->tally.owners[index]);
}

/* Files by which they are the same in the same report; the objects' own order is another. */
struct named_file { const char *path; dev_t dev; uint64_t ino; uint32_t object; };

static int compare_files(const void *a, const void *b) {
    const struct named_file *x = a, *y = b;
    int order = strcmp(x->path, y->path);
    if (order)
        return order;
    return x->dev != y->dev ? (x->dev < y->dev ? -1 : 1) : x->ino != y->ino ? (x->ino < y->ino ? -1 : 1) : 0;
}

/* Files that are there twice, by their objects. */
static void read_duplicates(struct kept_report *kept, struct json_object *sets) {
    const struct snapshot *snapshot = &kept->collection.snapshot;
    struct tally *tally = &kept->tally;
    struct named_file *known = must_alloc(snapshot->object_count + 1, sizeof *known);
    for (size_t o = 0; o < snapshot->object_count; o++)
        known[o] = (struct named_file){ snapshot->objects[o].path, snapshot->objects[o].dev, snapshot->objects[o].ino, (uint32_t)o };
    qsort(known, snapshot->object_count, sizeof *known, compare_files);
    tally->duplicates = must_alloc(list_length(sets) + 1, sizeof *tally->duplicates);
    for (size_t i = 0; i < list_length(sets); i++) {
        struct json_object *files = member_list(list_item(sets, i), "files");
        struct duplicates set = { .won = member_count(list_item(sets, i), "pages") };
        set.objects = must_alloc(list_length(files) + 1, sizeof *set.objects);
        for (size_t k = 0; k < list_length(files); k++) {
            const struct json_object *file = list_item(files, k);
            struct named_file want = { member_text(file, "path"), read_device(file), member_count(file, "inode"), 0 };
            const struct named_file *found = bsearch(&want, known, snapshot->object_count, sizeof *known, compare_files);
            if (found)
                set.objects[set.count++] = found->object;
        }
        tally->duplicates[tally->duplicates_count++] = set;
    }
    free(known);
}

static void read_sharing(struct kept_report *kept, const struct json_object *document) {
    size_t owners = kept->collection.snapshot.owner_count;
    struct json_object *bars = member_list(document, "histogram"), *matrix = member_object(document, "matrix");
    kept->tally.histogram = must_alloc(owners + 1, sizeof *kept->tally.histogram);
    for (size_t i = 0; i < list_length(bars); i++) {
        uint64_t of = member_count(list_item(bars, i), "owners");
        if (of <= owners)
            kept->tally.histogram[of] = (struct histogram){ member_count(list_item(bars, i), "frames"), member_count(list_item(bars, i), "pages") };
    }
    struct json_object *indices = member_list(matrix, "owners"), *rows = member_list(matrix, "shared_frames");
    size_t count = list_length(indices);
    struct share_table *table = &kept->sharing;
    table->owners = must_alloc(count + 1, sizeof *table->owners);
    table->frames = must_alloc(count * count + 1, sizeof *table->frames);
    for (size_t i = 0; i < count; i++) {
        uint64_t owner = json_object_get_uint64(list_item(indices, i));
        if (owner >= owners)
            return; /* of a report that was made up: nobody shares */
        table->owners[i] = (uint32_t)owner;
        for (size_t j = 0; j < count; j++)
            table->frames[i * count + j] = json_object_get_uint64(list_item(list_item(rows, i), j));
    }
    table->count = count;
}

void kept_report_make(struct kept_report *kept, struct json_object *document) {
    struct json_object *objects = member_list(document, "objects"), *processes = member_list(document, "processes");
    size_t object_count = list_length(objects), owner_count = list_length(processes);
    *kept = (struct kept_report){ 0 };
    struct snapshot *snapshot = &kept->collection.snapshot;
    struct tally *tally = &kept->tally;
    snapshot->method = strcmp(member_text(document, "method"), method_name(METHOD_FRAMES)) == 0 ? METHOD_FRAMES : METHOD_IDENTITY;
    snapshot->scope = strcmp(member_text(document, "scope"), "all") == 0 ? SCOPE_ALL : SCOPE_ELF;
    snapshot->object_count = object_count;
    snapshot->owner_count = owner_count;
    snapshot->objects = must_alloc(object_count + 1, sizeof *snapshot->objects);
    kept->cached = must_alloc(object_count + 1, sizeof *kept->cached);
    kept->collection.names = must_alloc(owner_count + 1, sizeof *kept->collection.names);
    kept->collection.causes_sought = true;
    kept->collection.readings = (unsigned)member_count(document, "readings");
    report_take_limits(document, &kept->collection, &kept->targets);
    tally->rows = must_alloc(object_count * SEGMENT_KINDS + 1, sizeof *tally->rows);
    tally->first_row = must_alloc(object_count + 1, sizeof *tally->first_row);
    tally->first_row[object_count] = (uint32_t)(object_count * SEGMENT_KINDS);
    tally->objects = must_alloc(object_count + 1, sizeof *tally->objects);
    tally->object_owners = must_alloc(object_count + 1, sizeof *tally->object_owners);
    tally->owners = must_alloc(owner_count + 1, sizeof *tally->owners);
    for (size_t i = 0; i < object_count; i++)
        read_object(kept, i, list_item(objects, i));
    for (size_t i = 0; i < owner_count; i++)
        read_process(kept, i, list_item(processes, i));
    read_counts(member_object(document, "totals"), &tally->total);
    read_duplicates(kept, member_list(member_object(member_object(document, "savings"), "if_duplicates_one"), "sets"));
    read_sharing(kept, document);
    kept->report = (struct report){
        .collection = &kept->collection, .tally = tally, .targets = &kept->targets, .causes = true, .which = "", .where = "",
        .sort = COLUMNS, .top = TOP_FIT, .exact = member_flag(document, "exact"), .cached = kept->cached, .sharing = &kept->sharing,
    };
}

void kept_report_free(struct kept_report *kept) {
    for (size_t i = 0; i < kept->collection.snapshot.object_count; i++)
        free(kept->collection.snapshot.objects[i].path);
    for (size_t i = 0; i < kept->collection.snapshot.owner_count; i++)
        free(kept->collection.names[i].pids);
    free(kept->collection.snapshot.objects);
    free(kept->collection.names);
    free(kept->targets.left);
    free(kept->cached);
    free(kept->sharing.owners);
    free(kept->sharing.frames);
    tally_free(&kept->tally);
}
