/* report_smaps.c - the page report of the last resort, for people and for machines: what smaps says of each object, and no word about who
 * shares which page, because smaps does not know it. A document of its own: the usual one promises numbers that are not there. */
#include "ldr.h"
#include "json.h"
#include "report.h"
#include "views/table.h"
#include "views/views.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCHEMA_VERSION = 1 };

/* One object's numbers, over all processes. */
struct smaps_line {
    size_t object;
    uint64_t processes;
    struct smaps_counts counts, segments[SEGMENT_KINDS];
    uint64_t segment_processes[SEGMENT_KINDS];
};

struct smaps_sums {
    struct smaps_line *lines; /* most resident pages first */
    size_t count;
    struct smaps_counts total;
    uint64_t private_copies;  /* anonymous pages of files' mappings */
};

static const struct snapshot *sorted_in;

static int compare_lines(const void *a, const void *b) {
    const struct smaps_line *x = a, *y = b;
    if (x->counts.resident != y->counts.resident)
        return x->counts.resident > y->counts.resident ? -1 : 1;
    int order = strcmp(sorted_in->objects[x->object].path, sorted_in->objects[y->object].path);
    return order ? order : x->object < y->object ? -1 : 1;
}

static bool has_file(const struct object *object) { return object->kind == OBJECT_ELF || object->kind == OBJECT_FILE || object->kind == OBJECT_IMAGES; }

static void sum_up(const struct collection *collection, struct smaps_sums *sums) {
    const struct snapshot *snapshot = &collection->snapshot;
    struct smaps_line *lines = must_alloc(snapshot->object_count, sizeof *lines);
    size_t *last_owner = must_alloc(snapshot->object_count, sizeof *last_owner); /* + 1 */
    *sums = (struct smaps_sums){ .lines = lines };
    for (size_t o = 0; o < snapshot->owner_count; o++)
        for (size_t p = 0; p < collection->names[o].smaps_count; p++) {
            const struct smaps_part *part = &collection->names[o].smaps[p];
            struct smaps_line *line = &lines[part->object];
            line->processes += last_owner[part->object] != o + 1;
            last_owner[part->object] = o + 1;
            line->segment_processes[part->kind]++;
            smaps_counts_add(&line->segments[part->kind], &part->counts);
            smaps_counts_add(&line->counts, &part->counts);
            smaps_counts_add(&sums->total, &part->counts);
            if (has_file(&snapshot->objects[part->object]))
                sums->private_copies += part->counts.anonymous;
        }
    free(last_owner);
    for (size_t i = 0; i < snapshot->object_count; i++) {
        lines[i].object = i;
        if (lines[i].counts.resident + lines[i].counts.swapped)
            lines[sums->count++] = lines[i];
    }
    sorted_in = snapshot;
    if (sums->count)
        qsort(lines, sums->count, sizeof *lines, compare_lines);
}

/* ---- text ---- */

static void put_row(struct table *table, const char *name, uint64_t processes, const struct smaps_counts *counts) {
    table_cell(table, name);
    table_number(table, processes);
    const uint64_t numbers[] = { counts->resident, counts->anonymous, counts->swapped, counts->shared, counts->private, counts->proportional_kib };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        table_number(table, numbers[i]);
}

void report_smaps_text(const struct report *report) {
    static const char *const titles[] = { "object", "procs", "resident", "own", "swapped", "shared*", "private*", "KiB*" };
    const struct collection *collection = report->collection;
    struct smaps_sums sums;
    sum_up(collection, &sums);
    size_t owners = collection->snapshot.owner_count, shown = report->top && sums.count > report->top + 1 ? report->top : sums.count;
    char resident[GROUPED_LEN], own[GROUPED_LEN];
    printf("%zu %sprocess%s%s %s %s resident pages%s, %s of them %s own. Who shares the others is not known: page tables may not be read.\n\n",
           owners, report->which, plural_es(owners), report->where, owners == 1 ? "has" : "have", grouped(sums.total.resident, resident),
           collection->snapshot.scope == SCOPE_ALL ? "" : " of programs and libraries", grouped(sums.total.anonymous, own),
           owners == 1 ? "its" : "their");
    struct table table = { .columns = sizeof titles / sizeof *titles, .left = 1 };
    for (size_t i = 0; i < table.columns; i++)
        table_cell(&table, titles[i]);
    struct smaps_line others = { 0 };
    struct name_clash *clashes = name_clashes(report);
    for (size_t i = 0; i < sums.count; i++) {
        if (i >= shown) {
            smaps_counts_add(&others.counts, &sums.lines[i].counts);
            continue;
        }
        char *name = object_called(report, sums.lines[i].object, clashes[sums.lines[i].object]);
        put_row(&table, name, sums.lines[i].processes, &sums.lines[i].counts);
        free(name);
    }
    free(clashes);
    if (shown < sums.count) {
        char *name = must_format("%zu more object%s", sums.count - shown, plural(sums.count - shown));
        put_row(&table, name, owners, &others.counts);
        free(name);
    }
    table_rule(&table);
    put_row(&table, "total", owners, &sums.total);
    table_print(stdout, &table);
    printf("\nown: private copies of pages of files, and memory. * from the kernel's map counts, in which every process of the machine counts;\n"
           "KiB: each page divided by its count. Pages of 4 KiB.\n\nmethod: smaps (/proc/PID/smaps), 1 reading, approximate (see below)\n");
    free(sums.lines);
}

/* ---- JSON ---- */

static void put(struct json_object *to, const char *key, uint64_t value) { json_object_object_add(to, key, json_object_new_uint64(value)); }

static void put_counts(struct json_object *to, const struct smaps_counts *counts) {
    put(to, "pages_mapped", counts->resident);
    put(to, "pages_anonymous", counts->anonymous);
    put(to, "pages_swapped", counts->swapped);
    put(to, "smaps_shared_pages", counts->shared);
    put(to, "smaps_private_pages", counts->private);
    put(to, "smaps_proportional_kib", counts->proportional_kib);
}

static struct json_object *objects_json(const struct collection *collection, const struct smaps_sums *sums) {
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < sums->count; i++) {
        const struct smaps_line *line = &sums->lines[i];
        struct json_object *object = json_object_new_object(), *segments = json_object_new_array();
        report_put_file(object, &collection->snapshot.objects[line->object]);
        put(object, "processes", line->processes);
        put_counts(object, &line->counts);
        for (size_t kind = 0; kind < SEGMENT_KINDS; kind++) {
            if (!line->segment_processes[kind])
                continue;
            struct json_object *segment = json_object_new_object();
            json_object_object_add(segment, "segment", json_object_new_string(segment_name((enum segment_kind)kind)));
            put(segment, "processes", line->segment_processes[kind]);
            put_counts(segment, &line->segments[kind]);
            json_object_array_add(segments, segment);
        }
        json_object_object_add(object, "segments", segments);
        json_object_array_add(list, object);
    }
    return list;
}

static struct json_object *processes_json(const struct collection *collection) {
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < collection->snapshot.owner_count; i++) {
        const struct owner_name *name = &collection->names[i];
        struct json_object *process = json_object_new_object();
        struct smaps_counts counts = { 0 };
        for (size_t p = 0; p < name->smaps_count; p++)
            smaps_counts_add(&counts, &name->smaps[p].counts);
        report_put_process(process, name);
        put_counts(process, &counts);
        json_object_array_add(list, process);
    }
    return list;
}

struct json_object *report_smaps_document(const struct report *report) {
    /* what only page tables tell: null, not 0 */
    static const char *const unknown[] = { "frames", "frames_shared", "page_copies_avoided", "pages_private_relocation",
                                           "pages_private_relocation_and_write", "pages_private_write", "pages_private_identical" };
    const struct collection *collection = report->collection;
    struct smaps_sums sums;
    sum_up(collection, &sums);
    struct json_object *root = json_object_new_object(), *totals = json_object_new_object();
    report_put_head(report, root, "ldr-pages-smaps", SCHEMA_VERSION);
    put(totals, "processes", collection->snapshot.owner_count);
    put_counts(totals, &sums.total);
    put(totals, "pages_private", sums.private_copies);
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        json_object_object_add(totals, unknown[i], NULL);
    json_object_object_add(root, "totals", totals);
    json_object_object_add(root, "processes", processes_json(collection));
    json_object_object_add(root, "objects", objects_json(collection, &sums));
    free(sums.lines);
    return root;
}
