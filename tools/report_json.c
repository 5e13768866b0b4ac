/* report_json.c - the page report for machines. The schema is documented in ldr(1); a change of meaning raises its version. */
#include "ldr.h"
#include "report.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>

enum { SCHEMA_VERSION = 1 };

static void put(struct json_object *to, const char *key, uint64_t value) {
    json_object_object_add(to, key, json_object_new_uint64(value));
}

/* Names of files and processes are bytes, JSON is UTF-8: a byte that belongs to no character becomes the four characters \xNN. */
static void put_text(struct json_object *to, const char *key, const char *value) {
    char *text = text_utf8(value);
    json_object_object_add(to, key, json_object_new_string(text));
    free(text);
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

static void put_private(struct json_object *to, const struct counts *counts) {
    put(to, "pages_private", counts->private_copies);
    put(to, "pages_private_relocation", counts->causes[CAUSE_RELOCATION]);
    put(to, "pages_private_relocation_and_write", counts->causes[CAUSE_RELOCATION_AND_WRITE]);
    put(to, "pages_private_write", counts->causes[CAUSE_WRITE]);
    put(to, "pages_private_identical", counts->causes[CAUSE_IDENTICAL]);
    put(to, "pages_private_unknown", counts->causes[CAUSE_UNKNOWN]);
}

static void put_counts(struct json_object *to, const struct counts *counts) {
    put(to, "pages_mapped", counts->pages);
    put(to, "frames", counts->frames);
    put(to, "frames_shared", counts->shared);
    put(to, "frames_shared_copies", counts->shared_copies);
    put(to, "frames_alone", counts->alone);
    put_private(to, counts);
    put(to, "pages_private_unresolved", counts->unresolved);
    put(to, "page_copies_avoided", counts->avoided);
    put(to, "pages_mapped_again", counts->again);
    put(to, "pages_swapped", counts->swapped);
}

static struct json_object *processes_json(const struct report *report) {
    const struct collection *collection = report->collection;
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < collection->snapshot.owner_count; i++) {
        const struct owner_name *name = &collection->names[i];
        const struct counts *counts = &report->tally->owners[i];
        struct json_object *process = json_object_new_object(), *pids = json_object_new_array();
        for (size_t p = 0; p < name->pid_count; p++)
            json_object_array_add(pids, json_object_new_int(name->pids[p]));
        put_text(process, "name", name->name);
        json_object_object_add(process, "pids", pids);
        put(process, "pages_mapped", counts->pages);
        put(process, "frames", counts->frames);
        put(process, "frames_shared", counts->shared);
        put(process, "frames_alone", counts->alone);
        put_private(process, counts);
        put(process, "pages_mapped_again", counts->again);
        put(process, "pages_swapped", counts->swapped);
        json_object_array_add(list, process);
    }
    return list;
}

static struct json_object *objects_json(const struct report *report) {
    const struct tally *tally = report->tally;
    struct json_object *list = json_object_new_array();
    size_t count, *order = object_order(report, &count);
    for (size_t i = 0; i < count; i++) {
        const struct object *file = &report->collection->snapshot.objects[order[i]];
        struct json_object *object = json_object_new_object(), *segments = json_object_new_array();
        char device[32];
        snprintf(device, sizeof device, "%02x:%02x", major(file->dev), minor(file->dev));
        put_text(object, "path", file->path);
        put_text(object, "device", device);
        put(object, "inode", file->ino);
        json_object_object_add(object, "headers_read", json_object_new_boolean(file->shape.known));
        put(object, "processes", tally->object_owners[order[i]]);
        put_counts(object, &tally->objects[order[i]]);
        for (size_t kind = 0; kind < SEGMENT_KINDS; kind++) {
            size_t row = order[i] * SEGMENT_KINDS + kind;
            if (tally->rows[row].pages + tally->rows[row].swapped == 0)
                continue;
            struct json_object *segment = json_object_new_object();
            put_text(segment, "segment", segment_name(kind));
            put(segment, "processes", tally->row_owners[row]);
            put_counts(segment, &tally->rows[row]);
            json_object_array_add(segments, segment);
        }
        json_object_object_add(object, "segments", segments);
        json_object_array_add(list, object);
    }
    free(order);
    return list;
}

struct json_object *report_document(const struct report *report) {
    const struct collection *collection = report->collection;
    const struct tally *tally = report->tally;
    struct json_object *root = json_object_new_object(), *totals = json_object_new_object();
    struct utsname kernel = { 0 };
    uname(&kernel);
    put_text(root, "schema", "ldr-pages");
    put(root, "schema_version", SCHEMA_VERSION);
    put_time(root);
    put_text(root, "method", method_name(collection->snapshot.method));
    json_object_object_add(root, "exact", json_object_new_boolean(report->exact));
    put_text(root, "kernel", kernel.release);
    put(root, "page_bytes", PAGE_LEN);
    char elapsed[32];
    snprintf(elapsed, sizeof elapsed, "%.6f", collection->elapsed_s);
    json_object_object_add(root, "elapsed_s", json_object_new_double_s(collection->elapsed_s, elapsed));
    put(root, "readings", collection->readings);
    put(root, "unstable", collection->unstable);
    put(root, "unreadable", collection->unreadable);
    put(root, "unexamined", report->unexamined);
    put(root, "missing", report->missing);
    put(root, "vanished", collection->vanished);
    put(root, "headers_unread", collection->shapes_unknown);
    put(root, "memory_unreadable", collection->memory_unreadable);
    put(root, "files_unexplained", collection->files_unexplained);
    put(root, "causes_changed", collection->causes_changed);
    json_object_object_add(root, "memory_unchecked", json_object_new_boolean(collection->memory_unchecked));
    put(totals, "processes", collection->snapshot.owner_count);
    put_counts(totals, &tally->total);
    put(totals, "frames_in_several_segments", tally->rows_overlap);
    json_object_object_add(root, "totals", totals);
    json_object_object_add(root, "processes", processes_json(report));
    json_object_object_add(root, "objects", objects_json(report));
    return root;
}
