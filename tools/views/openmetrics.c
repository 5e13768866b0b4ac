/* openmetrics.c - a report as gauges, in what the Prometheus text format (which node_exporter's textfile collector reads) and
 * OpenMetrics 1.0 have in common: no suffix with a meaning, families one after the other, "# EOF" at the end.
 *
 * Labels are chosen so that nothing can be counted twice by summing a metric: parts of a whole are values of one label
 * (state, cause), and processes are grouped by name, because PIDs would make a new series for every process that ever ran.
 * Of a group only those counts are given that can be added (frames that processes share cannot).
 */
#include "views.h"
#include "../ldr.h"
#include "../pages/pages.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void put_label_value(FILE *out, const char *text) {
    for (; *text; text++) {
        if (*text == '\n') {
            fputs("\\n", out);
            continue;
        }
        if (*text == '\\' || *text == '"')
            putc('\\', out);
        putc(*text, out);
    }
}

static void put_label(FILE *out, bool first, const char *name, const char *value) {
    fprintf(out, "%c%s=\"", first ? '{' : ',', name);
    put_label_value(out, value);
    putc('"', out);
}

static void put_family(FILE *out, const char *name, const char *help) {
    fprintf(out, "# HELP ldr_%s %s\n# TYPE ldr_%s gauge\n", name, help, name);
}

static void put_single(FILE *out, const char *name, const char *help, uint64_t value) {
    put_family(out, name, help);
    fprintf(out, "ldr_%s %" PRIu64 "\n", name, value);
}

/* ---- rows: what the labels in front of a value name ---- */

struct series {
    const struct json_object *counts; /* members as count_names */
    const struct json_object *object; /* NULL in totals */
    const char *segment;
};

static void put_row(FILE *out, const char *prefix, const char *name, const struct series *row, const char *label, const char *word,
                    const char *member) {
    fprintf(out, "ldr_%s%s", prefix, name);
    bool first = true;
    if (row->object) {
        put_label(out, true, "object", member_text(row->object, "path"));
        put_label(out, false, "device", member_text(row->object, "device"));
        fprintf(out, ",inode=\"%" PRIu64 "\"", member_count(row->object, "inode"));
        put_label(out, false, "segment", row->segment);
        first = false;
    }
    if (label) {
        put_label(out, first, label, word);
        first = false;
    }
    fprintf(out, "%s %" PRIu64 "\n", first ? "" : "}", member_count(row->counts, member));
}

static const struct part { const char *label, *word, *member; } frame_states[] = {
    { "state", "shared", "frames_shared" }, { "state", "alone", "frames_alone" }, { "state", "private", "pages_private" },
    { "state", "memory", "frames_memory" },
};

/* The families of counts, the same for the whole and for each segment. */
static void put_counts(FILE *out, const char *prefix, const char *of, const struct series *rows, size_t count) {
    static const struct { const char *name, *member, *help; } plain[] = {
        { "mapped", "pages_mapped", "Page-table entries of pages in memory" },
        { "copies_avoided", "page_copies_avoided", "Pages that found their frame in place because another process has it" },
        { "mapped_again", "pages_mapped_again", "Pages whose frame the same process maps elsewhere already" },
        { "swapped", "pages_swapped", "Pages in swap, not in memory" },
        { "from_images", "pages_from_images", "Pages in images of the linker's cache, relocated once for all" },
        { "copies_avoided_by_images", "page_copies_avoided_images", "Of the copies avoided, pages in images of the linker's cache" },
        { "won_if_relocated_shared", "pages_won_relocated", "Copies made by relocation that one shared copy would save" },
        { "won_if_duplicates_one", "pages_won_duplicates", "File pages in memory that another file of the same build-id holds too" },
    };
    char name[64], help[160];
    for (size_t f = 0; f < sizeof plain / sizeof plain[0]; f++) {
        snprintf(name, sizeof name, "%s%s", prefix, plain[f].name);
        snprintf(help, sizeof help, "%s%s.", plain[f].help, of);
        put_family(out, name, help);
        for (size_t i = 0; i < count; i++)
            put_row(out, prefix, plain[f].name, &rows[i], NULL, NULL, plain[f].member);
    }
    snprintf(name, sizeof name, "%sframes", prefix);
    snprintf(help, sizeof help, "Physical pages: shared by two or more processes, a file page alone in one, a private copy, memory of one%s.", of);
    put_family(out, name, help);
    for (size_t i = 0; i < count; i++)
        for (size_t s = 0; s < sizeof frame_states / sizeof frame_states[0]; s++)
            put_row(out, prefix, "frames", &rows[i], "state", frame_states[s].word, frame_states[s].member);
    snprintf(name, sizeof name, "%sprivate_copies", prefix);
    snprintf(help, sizeof help, "Private copies of file pages by what made them%s.", of);
    put_family(out, name, help);
    for (size_t i = 0; i < count; i++)
        for (size_t c = 0; c < CAUSE_NAMES; c++)
            put_row(out, prefix, "private_copies", &rows[i], "cause", cause_names[c].word, cause_names[c].member);
}

static void put_segments(FILE *out, const struct json_object *document) {
    struct json_object *objects = member_list(document, "objects");
    struct series *rows = NULL;
    size_t count = 0, room = 0;
    for (size_t i = 0; i < list_length(objects); i++) {
        struct json_object *object = list_item(objects, i), *segments = member_list(object, "segments");
        for (size_t s = 0; s < list_length(segments); s++) {
            if (count == room)
                rows = must_grow(rows, room = room * 2 + 64, sizeof *rows);
            rows[count++] = (struct series){ list_item(segments, s), object, member_text(list_item(segments, s), "segment") };
        }
    }
    if (count)
        put_counts(out, "pages_segment_", " (of a segment)", rows, count);
    free(rows);
}

static void put_classes(FILE *out, const struct json_object *totals) {
    const struct json_object *classes = member_object(totals, "classes");
    put_family(out, "pages_class", "Mapped and swapped pages, each in one class.");
    for (size_t i = 0; i < CLASSES; i++)
        fprintf(out, "ldr_pages_class{class=\"%s\"} %" PRIu64 "\n", class_key((enum page_class)i),
                member_count(classes, class_key((enum page_class)i)));
}

static void put_histogram(FILE *out, const struct json_object *document) {
    struct json_object *histogram = member_list(document, "histogram");
    put_family(out, "pages_frames_by_processes", "Physical pages by the number of processes that have them.");
    for (size_t i = 0; i < list_length(histogram); i++)
        fprintf(out, "ldr_pages_frames_by_processes{processes=\"%" PRIu64 "\"} %" PRIu64 "\n",
                member_count(list_item(histogram, i), "owners"), member_count(list_item(histogram, i), "frames"));
}

/* ---- programs: processes of one name ---- */

enum { SUMS = 4 };
static const struct { const char *name, *member, *help; uint64_t factor; } sums[SUMS] = {
    { "mapped", "pages_mapped", "Page-table entries of pages in memory, of all processes of this name.", 1 },
    { "rss", "rss_pages", "Resident set sizes of all processes of this name, as the kernel counts them, in pages.", 1 },
    { "swapped", "swap_pages", "Pages in swap of all processes of this name, as the kernel counts them.", 1 },
    { "page_tables_bytes", "page_table_kib", "Memory of the page tables of all processes of this name.", 1024 },
};

struct program {
    const char *name;
    uint64_t processes, sums[SUMS], causes[CAUSE_NAMES];
};

static int compare_programs(const void *a, const void *b) {
    return strcmp(((const struct program *)a)->name, ((const struct program *)b)->name);
}

/* The processes as programs of one process each, sorted; then those of one name as one. Returns how many remain. */
static size_t make_programs(struct json_object *processes, struct program *programs) {
    size_t all = list_length(processes), count = 0;
    for (size_t i = 0; i < all; i++) {
        struct json_object *process = list_item(processes, i);
        programs[i] = (struct program){ .name = member_text(process, "name"), .processes = 1 };
        for (size_t s = 0; s < SUMS; s++)
            programs[i].sums[s] = member_count(process, sums[s].member) * sums[s].factor;
        for (size_t c = 0; c < CAUSE_NAMES; c++)
            programs[i].causes[c] = member_count(process, cause_names[c].member);
    }
    qsort(programs, all, sizeof *programs, compare_programs);
    for (size_t i = 0; i < all; i++) {
        if (count == 0 || strcmp(programs[count - 1].name, programs[i].name) != 0) {
            programs[count++] = programs[i];
            continue;
        }
        struct program *to = &programs[count - 1];
        to->processes++;
        for (size_t s = 0; s < SUMS; s++)
            to->sums[s] = count_sum(to->sums[s], programs[i].sums[s]);
        for (size_t c = 0; c < CAUSE_NAMES; c++)
            to->causes[c] = count_sum(to->causes[c], programs[i].causes[c]);
    }
    return count;
}

static void put_programs(FILE *out, const struct json_object *document) {
    struct json_object *processes = member_list(document, "processes");
    struct program *programs = must_alloc(list_length(processes), sizeof *programs);
    size_t count = make_programs(processes, programs);
    put_family(out, "pages_program_processes", "Address spaces of processes of this name.");
    for (size_t i = 0; i < count; i++) {
        fputs("ldr_pages_program_processes", out);
        put_label(out, true, "program", programs[i].name);
        fprintf(out, "} %" PRIu64 "\n", programs[i].processes);
    }
    for (size_t s = 0; s < SUMS; s++) {
        char name[64];
        snprintf(name, sizeof name, "pages_program_%s", sums[s].name);
        put_family(out, name, sums[s].help);
        for (size_t i = 0; i < count; i++) {
            fprintf(out, "ldr_%s", name);
            put_label(out, true, "program", programs[i].name);
            fprintf(out, "} %" PRIu64 "\n", programs[i].sums[s]);
        }
    }
    put_family(out, "pages_program_private_copies", "Private copies of file pages of all processes of this name, by what made them.");
    for (size_t i = 0; i < count; i++)
        for (size_t c = 0; c < CAUSE_NAMES; c++) {
            fputs("ldr_pages_program_private_copies", out);
            put_label(out, true, "program", programs[i].name);
            put_label(out, false, "cause", cause_names[c].word);
            fprintf(out, "} %" PRIu64 "\n", programs[i].causes[c]);
        }
    free(programs);
}

static void put_limits(FILE *out, const struct json_object *document) {
    static const char *const kinds[] = { "missing", "unexamined", "unreadable", "vanished", "unstable", "headers_unread",
                                         "memory_unreadable", "files_unexplained", "causes_changed", "unopened", "counts_differ", "markers", "identity_unsure",
                                         "swap_unnamed" };
    put_family(out, "pages_report_limits", "What kept the report from being complete: see ldr-pages(1) for each kind.");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        fprintf(out, "ldr_pages_report_limits{kind=\"%s\"} %" PRIu64 "\n", kinds[i], member_count(document, kinds[i]));
}

void openmetrics_write(FILE *out, const struct json_object *document) {
    struct json_object *totals = member_object(document, "totals");
    put_family(out, "pages_report_info", "How the report was made.");
    fputs("ldr_pages_report_info", out);
    put_label(out, true, "method", member_text(document, "method"));
    put_label(out, false, "kernel", member_text(document, "kernel"));
    fputs("} 1\n", out);
    put_single(out, "pages_report_exact", "1 when the report is complete and exact.", member_flag(document, "exact"));
    struct tm time = { 0 };
    if (strptime(member_text(document, "time"), "%Y-%m-%dT%H:%M:%S", &time))
        put_single(out, "pages_report_timestamp_seconds", "When the report was made, in Unix time.", (uint64_t)timegm(&time));
    put_family(out, "pages_report_duration_seconds", "How long measuring took.");
    fprintf(out, "ldr_pages_report_duration_seconds %.6f\n", member_number(document, "elapsed_s"));
    put_limits(out, document);
    put_single(out, "pages_page_size_bytes", "Bytes of a page.", member_count(document, "page_bytes"));
    put_single(out, "pages_processes", "Address spaces measured.", member_count(totals, "processes"));
    put_counts(out, "pages_",
               strcmp(member_text(document, "scope"), "all") == 0 ? "" : " (of programs and libraries)", &(struct series){ totals, NULL, NULL }, 1);
    put_classes(out, totals);
    put_histogram(out, document);
    put_segments(out, document);
    put_programs(out, document);
    fputs("# EOF\n", out);
}
