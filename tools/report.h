/* report.h - the page report, as text for people and as JSON; both print the same tally. */
#ifndef LDR_REPORT_H
#define LDR_REPORT_H

#include "columns.h"
#include "host/collect.h"

#include <stdio.h>

struct json_object;

#define NOT_CACHED UINT64_MAX

/* Frames that each two of some owners both have. */
struct share_table {
    uint32_t *owners;
    size_t count;
    uint64_t *frames; /* count * count */
};

struct report {
    const struct collection *collection;
    const struct tally *tally;
    const struct targets *targets;
    const char *which, *where;    /* complete the headline's "12 [which ]processes[ where]" */
    size_t top;                   /* objects in the text table, 0 = all; TOP_FIT: as many as fit on a screen */
    bool segments;                /* each object's segments on lines of their own there */
    const struct column_choice *columns; /* of the text table; NULL: the usual ones */
    size_t sort;                  /* objects of the text table by this column; COLUMNS: by mapped pages; COLUMNS + 1: by path */
    bool why;                     /* private copies by cause in the text table */
    bool causes;                  /* causes are part of what is shown: an unknown one makes the report partial */
    bool map;                     /* every segment page by page in JSON */
    const uint64_t *cached;       /* of a report that was kept, by object: pages in the page cache that nobody maps, or NOT_CACHED; else NULL */
    const struct share_table *sharing; /* of a report that was kept; NULL: the tally tells */
    bool exact;                   /* every number is what it says: nothing missing, unstable or only a bound */
};

#define TOP_FIT SIZE_MAX
enum { OBJECTS_MIN = 4 }; /* listed even where the screen is too small for them */

/* report_is_exact - true when nothing limits the report */
bool report_is_exact(const struct report *report);
/* report_say_limits - on stderr, a line for each thing that keeps the report from being complete and exact */
void report_say_limits(const struct report *report);
/* report_put_limits - the same as members of the document, and left_out */
void report_put_limits(const struct report *report, struct json_object *to);

/* report_take_limits - what report_put_limits wrote, back from a document */
void report_take_limits(const struct json_object *document, struct collection *collection, struct targets *targets);

/* count_offsets - where in struct counts the members are that a document calls count_names (views/views.h) */
extern const size_t count_offsets[];

/* A report that was kept (report_kept.c): what a struct report points to, as far as report_text and report_sharing look at it. Names
 * point into the document. */
struct kept_report {
    struct report report;
    struct collection collection;
    struct tally tally;
    struct targets targets;
    struct share_table sharing;
    uint64_t *cached;
};
/* kept_report_make - DOCUMENT has passed document_check, and must stay until kept_report_free */
void kept_report_make(struct kept_report *kept, struct json_object *document);
void kept_report_free(struct kept_report *kept);

/* object_order - indices of the objects that have pages, most mapped pages first, then by path, device, inode.
 * malloc'd; *count set */
size_t *object_order(const struct report *report, size_t *count);

/* name_clashes - of each object by index, whether another that is listed has the same last part in another path (.last), or the same path
 * (.path); malloc'd. For those that list many: one sort. object_called - the name of one of them. */
struct name_clash { bool last, path; };
struct name_clash *name_clashes(const struct report *report);
char *object_called(const struct report *report, size_t index, struct name_clash clash);

/* object_name - what a text calls an object: the last part of its path; all of it if WHOLE or where another path has the same last part; and
 * with device and inode, as /proc/PID/maps has them, where another file has the same path (of another mount namespace, or replaced).
 * malloc'd, without control characters */
char *object_name(const struct report *report, size_t index, bool whole);

/* counts_any - is there a page, of whatever class? */
bool counts_any(const struct counts *counts);

/* matrix_owners - the owners a matrix of at most MAX shows, those with most shared frames, in the order of the processes.
 * malloc'd; *count set */
uint32_t *matrix_owners(const struct report *report, size_t max, size_t *count);

/* plural - the ending of a counted word: "1 page", "2 pages"; "1 process", "2 processes" */
static inline const char *plural(uint64_t count) { return count == 1 ? "" : "s"; }
static inline const char *plural_es(uint64_t count) { return count == 1 ? "" : "es"; }

const char *method_name(enum method method);
/* report_text - the report for people, on standard output; USED: lines of the screen that are taken already */
void report_text(const struct report *report, size_t used);
/* report_objects - the table of it, in ROOM lines; with shortened names and without some columns where it would be wider than WIDTH (0: any
 * width will do)
 *   out  shown, count  objects that have lines of their own, and all */
void report_objects(FILE *out, const struct report *report, size_t room, size_t width, size_t *shown, size_t *count);
/* report_document - the report as JSON, from which every view but the text is made (views/README.md); json_object_put it */
struct json_object *report_document(const struct report *report);

/* What documents have in common: from schema to what limits the report; a process's names and the kernel's numbers; an object's file. */
void report_put_head(const struct report *report, struct json_object *root, const char *schema, uint64_t version);
void report_put_process(struct json_object *to, const struct owner_name *name);
void report_put_file(struct json_object *to, const struct object *file);

/* report_smaps.c: the same from METHOD_SMAPS; document: schema "ldr-pages-smaps" */
void report_smaps_text(const struct report *report);
struct json_object *report_smaps_document(const struct report *report);

/* report_sharing - text: frames by number of owners, and the report->top pairs of processes that share most (0: all) */
void report_sharing(const struct report *report);

/* report_table - the page table of every object of that path, or whose path ends in /NAME, in every process
 *   returns false when nobody maps such an object (text: nothing is printed) */
bool report_table(const struct report *report, const char *name, bool json);

#endif
