/* csv.c - a report as comma-separated values (RFC 4180, but lines end in LF): one kind of thing per table, so that a column
 * can be summed. Columns of numbers have the names they have in the document. */
#include "views.h"

#include "../pages/pages.h"

#include <inttypes.h>
#include <string.h>

static void put_field(FILE *out, const char *text) {
    if (!text[strcspn(text, ",\"\r\n")] && text[0] != ' ') {
        fputs(text, out);
        return;
    }
    putc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            putc('"', out);
        putc(*text, out);
    }
    putc('"', out);
}

static void put_counts(FILE *out, const struct json_object *counts) {
    for (size_t i = 0; i < COUNT_NAMES; i++)
        fprintf(out, ",%" PRIu64, member_count(counts, count_names[i]));
    const struct json_object *classes = member_object(counts, "classes");
    for (size_t i = 0; i < CLASSES; i++)
        fprintf(out, ",%" PRIu64, member_count(classes, class_key((enum page_class)i)));
}

static void put_kernel(FILE *out, const struct json_object *from) {
    for (size_t i = 0; i < KERNEL_NAMES; i++)
        fprintf(out, ",%" PRIu64, member_count(from, kernel_names[i]));
}

static void put_object(FILE *out, const struct json_object *object) {
    putc(',', out);
    put_field(out, member_text(object, "path"));
    fprintf(out, ",%s,%" PRIu64, member_text(object, "device"), member_count(object, "inode"));
}

static void put_objects(FILE *out, const struct json_object *document, const char *time, bool by_segment) {
    struct json_object *objects = member_list(document, "objects");
    for (size_t i = 0; i < list_length(objects); i++) {
        struct json_object *object = list_item(objects, i), *segments = member_list(object, "segments");
        for (size_t s = 0; s < (by_segment ? list_length(segments) : 1); s++) {
            struct json_object *row = by_segment ? list_item(segments, s) : object;
            put_field(out, time);
            put_object(out, object);
            if (by_segment) {
                putc(',', out);
                put_field(out, member_text(row, "segment"));
            }
            fprintf(out, ",%" PRIu64, member_count(row, "processes"));
            put_counts(out, row);
            putc('\n', out);
        }
    }
}

static void put_processes(FILE *out, const struct json_object *document, const char *time) {
    struct json_object *processes = member_list(document, "processes");
    for (size_t i = 0; i < list_length(processes); i++) {
        struct json_object *process = list_item(processes, i);
        put_field(out, time);
        fprintf(out, ",%" PRIu64 ",", member_pid(process));
        put_field(out, member_text(process, "name"));
        put_counts(out, process);
        put_kernel(out, process);
        putc('\n', out);
    }
}

static void put_titles(FILE *out, enum csv_level level) {
    static const char *const first[] = {
        [CSV_TOTALS] = "time,processes", [CSV_OBJECTS] = "time,path,device,inode,processes",
        [CSV_SEGMENTS] = "time,path,device,inode,segment,processes", [CSV_PROCESSES] = "time,pid,name",
    };
    fputs(first[level], out);
    for (size_t i = 0; i < COUNT_NAMES; i++)
        fprintf(out, ",%s", count_names[i]);
    for (size_t i = 0; i < CLASSES; i++)
        fprintf(out, ",class_%s", class_key((enum page_class)i));
    if (level == CSV_TOTALS || level == CSV_PROCESSES)
        for (size_t i = 0; i < KERNEL_NAMES; i++)
            fprintf(out, ",%s", kernel_names[i]);
    putc('\n', out);
}

void csv_write(FILE *out, const struct json_object *document, enum csv_level level, bool again) {
    const char *time = member_text(document, "time");
    if (!again)
        put_titles(out, level);
    switch (level) {
    case CSV_TOTALS: {
        struct json_object *totals = member_object(document, "totals");
        put_field(out, time);
        fprintf(out, ",%" PRIu64, member_count(totals, "processes"));
        put_counts(out, totals);
        put_kernel(out, totals);
        putc('\n', out);
        break;
    }
    case CSV_PROCESSES: put_processes(out, document, time); break;
    case CSV_OBJECTS:
    case CSV_SEGMENTS: put_objects(out, document, time, level == CSV_SEGMENTS); break;
    case CSV_NONE: break;
    }
}
