/* report_json.c - the page report for machines. The schema is documented in ldr-pages(1); a change of meaning raises its version. */
#include "ldr.h"
#include "json.h"
#include "report.h"
#include "host/resident.h"
#include "views/views.h"

#include <json-c/printbuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>

/* Version 2: processes[] with pid, the kernel's numbers and classes; histogram; matrix; objects[].kind; segments[].map. In
 * version 1 every private page was a copy of a page of a file; frames_memory is new in the sum of frames.
 * Version 3: pages of images have classes of their own, and were file_shared and file_alone before; savings. */
enum { SCHEMA_VERSION = 3 };

/* Of more processes a matrix would be megabytes of text: these many with most shared frames. */
enum { MATRIX_MAX = 256 };

static void put(struct json_object *to, const char *key, uint64_t value) {
    json_object_object_add(to, key, json_object_new_uint64(value));
}

static void put_text(struct json_object *to, const char *key, const char *value) {
    json_object_object_add(to, key, json_name(value));
}

/* Now, in UTC to the millisecond: 2026-11-21T05:20:01.123Z */
static void put_time(struct json_object *to) {
    struct timespec now;
    struct tm utc;
    char seconds[32], text[48];
    clock_gettime(CLOCK_REALTIME, &now);
    strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", gmtime_r(&now.tv_sec, &utc));
    snprintf(text, sizeof text, "%s.%03ldZ", seconds, now.tv_nsec / 1000000);
    put_text(to, "time", text);
}

static void put_flag(struct json_object *to, const char *key, bool value) {
    json_object_object_add(to, key, json_object_new_boolean(value));
}

/* Long arrays of numbers stay in one line, whatever the style of what is around them. */
static int print_in_line(struct json_object *array, struct printbuf *to, int level, int flags) {
    (void)level;
    (void)flags;
    size_t count = json_object_array_length(array);
    for (size_t i = 0; i < count; i++) {
        const char *item = json_object_to_json_string_ext(json_object_array_get_idx(array, i), JSON_C_TO_STRING_PLAIN);
        printbuf_memappend(to, i ? "," : "[", 1);
        printbuf_memappend(to, item, (int)strlen(item));
    }
    return count ? printbuf_strappend(to, "]") : printbuf_strappend(to, "[]");
}

static struct json_object *new_line(void) {
    struct json_object *array = json_object_new_array();
    json_object_set_serializer(array, print_in_line, NULL, NULL);
    return array;
}

static void put_number(struct json_object *array, uint64_t value) { json_object_array_add(array, json_object_new_uint64(value)); }

static void put_classes(struct json_object *to, const struct counts *counts) {
    struct json_object *classes = json_object_new_object();
    for (size_t class = 0; class < CLASSES; class++)
        put(classes, class_key((enum page_class)class), counts->classes[class]);
    json_object_object_add(to, "classes", classes);
}

static void put_private(struct json_object *to, const struct counts *counts) {
    put(to, "pages_private", counts->private_copies);
    put(to, "pages_private_relocation", counts->causes[CAUSE_RELOCATION]);
    put(to, "pages_private_relocation_and_write", counts->causes[CAUSE_RELOCATION_AND_WRITE]);
    put(to, "pages_private_write", counts->causes[CAUSE_WRITE]);
    put(to, "pages_private_identical", counts->causes[CAUSE_IDENTICAL]);
    put(to, "pages_private_unknown", counts->causes[CAUSE_UNKNOWN]);
}

const size_t count_offsets[COUNT_NAMES] = {
    offsetof(struct counts, pages), offsetof(struct counts, frames), offsetof(struct counts, shared), offsetof(struct counts, shared_copies),
    offsetof(struct counts, alone), offsetof(struct counts, private_copies), offsetof(struct counts, causes[CAUSE_RELOCATION]),
    offsetof(struct counts, causes[CAUSE_RELOCATION_AND_WRITE]), offsetof(struct counts, causes[CAUSE_WRITE]),
    offsetof(struct counts, causes[CAUSE_IDENTICAL]), offsetof(struct counts, causes[CAUSE_UNKNOWN]), offsetof(struct counts, memory),
    offsetof(struct counts, unresolved), offsetof(struct counts, avoided), offsetof(struct counts, again), offsetof(struct counts, swapped),
    offsetof(struct counts, images), offsetof(struct counts, images_avoided), offsetof(struct counts, won_relocated),
    offsetof(struct counts, won_duplicates),
};

static void put_counts(struct json_object *to, const struct counts *counts) {
    for (size_t i = 0; i < COUNT_NAMES; i++)
        put(to, count_names[i], *(const uint64_t *)((const char *)counts + count_offsets[i]));
    put_classes(to, counts);
}

static void put_facts(struct json_object *to, const struct proc_facts *facts) {
    put(to, "rss_pages", facts->rss_pages);
    put(to, "swap_pages", facts->swap_pages);
    put(to, "page_table_kib", facts->page_table_kib);
    put(to, "minor_faults", facts->minor_faults);
    put(to, "major_faults", facts->major_faults);
}

void report_put_process(struct json_object *to, const struct owner_name *name) {
    struct json_object *pids = json_object_new_array();
    for (size_t p = 0; p < name->pid_count; p++)
        json_object_array_add(pids, json_object_new_int(name->pids[p]));
    json_object_object_add(to, "pid", json_object_new_int(name->pids[0]));
    put_text(to, "name", name->name);
    json_object_object_add(to, "pids", pids);
    put_facts(to, &name->facts);
}

static struct json_object *processes_json(const struct report *report) {
    const struct collection *collection = report->collection;
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < collection->snapshot.owner_count; i++) {
        const struct owner_name *name = &collection->names[i];
        const struct counts *counts = &report->tally->owners[i];
        struct json_object *process = json_object_new_object();
        report_put_process(process, name);
        put(process, "pages_mapped", counts->pages);
        put(process, "frames", counts->frames);
        put(process, "frames_shared", counts->shared);
        put(process, "frames_alone", counts->alone);
        put_private(process, counts);
        put(process, "frames_memory", counts->memory);
        put(process, "pages_mapped_again", counts->again);
        put(process, "pages_swapped", counts->swapped);
        put(process, "pages_from_images", counts->images);
        put_classes(process, counts);
        json_object_array_add(list, process);
    }
    return list;
}

static struct json_object *histogram_json(const struct report *report) {
    struct json_object *list = json_object_new_array();
    for (size_t owners = 1; owners <= report->collection->snapshot.owner_count; owners++) {
        const struct histogram *bar = &report->tally->histogram[owners];
        if (!bar->frames && !bar->pages)
            continue;
        struct json_object *entry = json_object_new_object();
        put(entry, "owners", owners);
        put(entry, "frames", bar->frames);
        put(entry, "pages", bar->pages);
        json_object_array_add(list, entry);
    }
    return list;
}

static struct json_object *matrix_json(const struct report *report) {
    size_t owner_count = report->collection->snapshot.owner_count, count;
    uint32_t *owners = matrix_owners(report, MATRIX_MAX, &count);
    uint64_t *numbers = share_matrix(report->tally, owner_count, owners, count);
    struct json_object *matrix = json_object_new_object(), *indices = new_line(), *rows = json_object_new_array();
    for (size_t i = 0; i < count; i++) {
        put_number(indices, owners[i]);
        struct json_object *row = new_line();
        for (size_t j = 0; j < count; j++)
            put_number(row, numbers[i * count + j]);
        json_object_array_add(rows, row);
    }
    json_object_object_add(matrix, "owners", indices);
    json_object_object_add(matrix, "shared_frames", rows);
    free(numbers);
    free(owners);
    return matrix;
}

static struct json_object *map_json(const struct report *report, const struct run_index *index, uint32_t row, struct owner_lists *lists) {
    size_t count;
    struct strip *strips = row_strips(index, report->tally, &report->collection->snapshot, row, lists, &count);
    struct json_object *map = new_line();
    for (size_t i = 0; i < count; i++) {
        struct json_object *strip = new_line();
        json_object_array_add(strip, json_object_new_string(class_key(strips[i].class)));
        put_number(strip, strips[i].owners);
        put_number(strip, strips[i].pages);
        put_number(strip, strips[i].list);
        json_object_array_add(map, strip);
    }
    free(strips);
    return map;
}

static const char *const object_kinds[] = {
    [OBJECT_ELF] = "elf", [OBJECT_FILE] = "file", [OBJECT_SHARED] = "shared", [OBJECT_ANONYMOUS] = "anonymous",
    [OBJECT_VDSO] = "vdso", [OBJECT_HUGETLB] = "hugetlb", [OBJECT_DEVICE] = "device", [OBJECT_IMAGES] = "images",
};

static void put_identity(struct json_object *to, const struct object *file) {
    char device[32], id[2 * BUILD_ID_LEN + 1] = "";
    snprintf(device, sizeof device, "%02x:%02x", major(file->dev), minor(file->dev));
    for (size_t i = 0; i < file->build_id_len; i++)
        snprintf(id + 2 * i, 3, "%02x", file->build_id[i]);
    put_text(to, "path", file->path);
    put_text(to, "device", device);
    put(to, "inode", file->ino);
    if (*id)
        put_text(to, "build_id", id);
}

void report_put_file(struct json_object *to, const struct object *file) {
    put_identity(to, file);
    put_text(to, "kind", object_kinds[file->kind]);
    put_flag(to, "headers_read", file->shape.known);
}

static struct json_object *objects_json(const struct report *report, struct owner_lists *lists) {
    const struct tally *tally = report->tally;
    struct run_index index = { 0 };
    if (report->map)
        run_index_make(&index, tally, &report->collection->snapshot);
    struct json_object *list = json_object_new_array();
    size_t count, *order = object_order(report, &count);
    for (size_t i = 0; i < count; i++) {
        const struct object *file = &report->collection->snapshot.objects[order[i]];
        struct json_object *object = json_object_new_object(), *segments = json_object_new_array();
        report_put_file(object, file);
        uint64_t cached;
        if (file_resident(file, &cached)) {
            put(object, "pages_cached", cached);
            put(object, "pages_cached_unmapped", file_unmapped(cached, &tally->objects[order[i]]));
        }
        put(object, "processes", tally->object_owners[order[i]]);
        put_counts(object, &tally->objects[order[i]]);
        for (uint32_t r = tally->first_row[order[i]]; r < tally->first_row[order[i] + 1]; r++) {
            const struct row *row = &tally->rows[r];
            if (!counts_any(&row->counts))
                continue;
            struct json_object *segment = json_object_new_object();
            put_text(segment, "segment", segment_name(row->kind));
            put(segment, "processes", row->owners);
            put_counts(segment, &row->counts);
            if (report->map)
                json_object_object_add(segment, "map", map_json(report, &index, r, lists));
            json_object_array_add(segments, segment);
        }
        json_object_object_add(object, "segments", segments);
        json_object_array_add(list, object);
    }
    free(order);
    run_index_free(&index);
    return list;
}

/* Which owners the map's pages have: each set as first, last, first, last... of processes[]. */
static struct json_object *owner_sets_json(const struct owner_lists *lists) {
    struct json_object *sets = json_object_new_array();
    for (uint32_t i = 0; i < lists->count; i++) {
        const uint32_t *owners = lists->owners + lists->list[i].first;
        struct json_object *set = new_line();
        for (uint32_t from = 0, to; from < lists->list[i].count; from = to) {
            for (to = from + 1; to < lists->list[i].count && owners[to] == owners[to - 1] + 1; to++)
                ;
            put_number(set, owners[from]);
            put_number(set, owners[to - 1]);
        }
        json_object_array_add(sets, set);
    }
    return sets;
}

static void put_fact_sums(struct json_object *to, const struct collection *collection) {
    struct proc_facts sum = { 0 };
    for (size_t i = 0; i < collection->snapshot.owner_count; i++) {
        const struct proc_facts *facts = &collection->names[i].facts;
        sum.rss_pages += facts->rss_pages;
        sum.swap_pages += facts->swap_pages;
        sum.page_table_kib += facts->page_table_kib;
        sum.minor_faults += facts->minor_faults;
        sum.major_faults += facts->major_faults;
    }
    put_facts(to, &sum);
}

/* Pages, and what that is in bytes. */
static struct json_object *amount(struct json_object *to, const char *key, uint64_t pages) {
    struct json_object *object = json_object_new_object();
    put(object, "pages", pages);
    put(object, "bytes", pages * PAGE_LEN);
    json_object_object_add(to, key, object);
    return object;
}

/* What is saved and what could be. */
static struct json_object *savings_json(const struct report *report) {
    const struct tally *tally = report->tally;
    struct json_object *savings = json_object_new_object(), *sets = json_object_new_array();
    amount(savings, "now", tally->total.avoided);
    amount(savings, "now_by_images", tally->total.images_avoided);
    amount(savings, "if_relocated_shared", tally->total.won_relocated);
    json_object_object_add(amount(savings, "if_duplicates_one", tally->total.won_duplicates), "sets", sets);
    for (size_t i = 0; i < tally->duplicates_count; i++) {
        const struct duplicates *duplicates = &tally->duplicates[i];
        struct json_object *set = json_object_new_object(), *files = json_object_new_array();
        put(set, "pages", duplicates->won);
        put(set, "bytes", duplicates->won * PAGE_LEN);
        for (size_t k = 0; k < duplicates->count; k++) {
            struct json_object *file = json_object_new_object();
            put_identity(file, &report->collection->snapshot.objects[duplicates->objects[k]]);
            put(file, "processes", tally->object_owners[duplicates->objects[k]]);
            json_object_array_add(files, file);
        }
        json_object_object_add(set, "files", files);
        json_object_array_add(sets, set);
    }
    return savings;
}

void report_put_head(const struct report *report, struct json_object *root, const char *schema, uint64_t version) {
    const struct collection *collection = report->collection;
    struct utsname kernel = { 0 };
    uname(&kernel);
    put_text(root, "schema", schema);
    put(root, "schema_version", version);
    put_time(root);
    put_text(root, "scope", collection->snapshot.scope == SCOPE_ALL ? "all" : "elf");
    put_text(root, "method", method_name(collection->snapshot.method));
    put_flag(root, "exact", report->exact);
    put_text(root, "kernel", kernel.release);
    put(root, "page_bytes", PAGE_LEN);
    char elapsed[32];
    snprintf(elapsed, sizeof elapsed, "%.6f", collection->elapsed_s);
    json_object_object_add(root, "elapsed_s", json_object_new_double_s(collection->elapsed_s, elapsed));
    put(root, "readings", collection->readings);
    report_put_limits(report, root);
}

struct json_object *report_document(const struct report *report) {
    const struct collection *collection = report->collection;
    const struct tally *tally = report->tally;
    struct json_object *root = json_object_new_object(), *totals = json_object_new_object();
    report_put_head(report, root, "ldr-pages", SCHEMA_VERSION);
    put(totals, "processes", collection->snapshot.owner_count);
    put_counts(totals, &tally->total);
    put(totals, "frames_in_several_segments", tally->rows_overlap);
    put_fact_sums(totals, collection);
    json_object_object_add(root, "totals", totals);
    json_object_object_add(root, "savings", savings_json(report));
    json_object_object_add(root, "processes", processes_json(report));
    json_object_object_add(root, "histogram", histogram_json(report));
    json_object_object_add(root, "matrix", matrix_json(report));
    struct owner_lists lists = { 0 };
    json_object_object_add(root, "objects", objects_json(report, &lists));
    if (report->map)
        json_object_object_add(root, "owner_sets", owner_sets_json(&lists));
    owner_lists_free(&lists);
    return root;
}
