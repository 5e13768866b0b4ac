/* views.h - what becomes of a report beside the text table. Every view is made from the JSON document (see README.md here).
 *
 * Documents are json-c objects, called `document` here. What views are given has passed document_check or was made by
 * report_document. Functions that write return false after having said on stderr what failed.
 */
#ifndef LDR_VIEWS_H
#define LDR_VIEWS_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct json_object;
struct report;

/* ---- options.c ---- */

enum csv_level { CSV_NONE, CSV_TOTALS, CSV_OBJECTS, CSV_SEGMENTS, CSV_PROCESSES };

struct view_options {
    bool json;
    enum csv_level csv;
    const char *openmetrics, *html, *record; /* files, NULL: not asked for; "-" is standard output */
    const char *from;                        /* recording to show a report of, instead of measuring */
    long number;                             /* which report of it: 1 the first, -1 the last */
    double interval_s;                       /* 0: one report */
    uint64_t reports;                        /* with an interval: how many, 0 without end */
};

/* views_argp - the options of all views; a child of the command's argp, its input is a struct view_options (zeroed) */
extern const struct argp views_argp;

/* views_replace_text - was anything asked for that takes the place of the text report? */
bool views_replace_text(const struct view_options *options);

/* views_write - every view that was asked for; again is true from the second report of an interval on */
bool views_write(const struct view_options *options, struct json_object *document, bool again);

/* views_from - the views of a report that was kept (--from); text is called when none was asked for. Exit status of the command. */
int views_from(const struct view_options *options, void (*text)(void *context, struct json_object *document), void *context);

/* ---- document.c ---- */

enum { COUNT_NAMES = 20 };
extern const char *const count_names[COUNT_NAMES]; /* the members called "counts" in ldr-pages(1), in its order */
enum { KERNEL_NAMES = 5 };
extern const char *const kernel_names[KERNEL_NAMES]; /* what the kernel counts itself, of processes and totals */
enum { CAUSE_NAMES = 5 };
/* The causes of private pages: member of the document, word for people, word for machines. */
extern const struct cause_name { const char *member, *title, *word; } cause_names[CAUSE_NAMES];

/* Members: 0, "" or NULL when there is none of that type. What is returned belongs to the document. */
uint64_t member_count(const struct json_object *object, const char *key);
double member_number(const struct json_object *object, const char *key);
bool member_flag(const struct json_object *object, const char *key);
const char *member_text(const struct json_object *object, const char *key);
struct json_object *member_list(const struct json_object *object, const char *key);
struct json_object *member_object(const struct json_object *object, const char *key);
/* member_pid - the PID of a process of the document: the lowest of pids[] */
uint64_t member_pid(const struct json_object *process);
/* Items of a list that may be NULL. */
size_t list_length(const struct json_object *list);
struct json_object *list_item(const struct json_object *list, size_t index);

/* count_sum - the sum of two counts; instead of overflowing it stays at INT64_MAX, so that differences fit too */
uint64_t count_sum(uint64_t a, uint64_t b);

/* file_name - the last part of a path; points into it */
const char *file_name(const char *path);

/* ---- check.c ---- */

/* document_check - is it a report, of a schema version known here, with possible numbers?
 *   returns NULL, or what is wrong with the value found (malloc'd) */
char *document_check(struct json_object *document);

/* ---- csv.c, openmetrics.c, html.c ---- */

/* csv_write - one line per total, object, segment or process; the titles first unless again */
void csv_write(FILE *out, const struct json_object *document, enum csv_level level, bool again);

/* openmetrics_write - gauges in the common subset of the Prometheus text format and OpenMetrics 1.0 */
void openmetrics_write(FILE *out, const struct json_object *document);

/* html_write - one page without any external resource */
void html_write(FILE *out, struct json_object *document);

/* ---- outfile.c ---- */

struct outfile {
    FILE *stream;
    char *path;      /* where it will be, symbolic links followed */
    char *temporary; /* where it is; NULL: written in place, because path is no regular file */
};

/* outfile_open - prepares to write path: in a file beside it, or directly when path is a device, a pipe or "-", has another name besides, or
 * lies in a folder that may not be written to */
bool outfile_open(struct outfile *out, const char *path);
/* outfile_commit - puts the file in its place; on failure the old one stays and the new one is removed */
bool outfile_commit(struct outfile *out);

/* ---- record.c ---- */

/* record_append - adds the document as one line to path, made if missing. Refuses a file that is no recording. */
bool record_append(const char *path, struct json_object *document);

struct recording {
    char *path;
    int fd;
    int64_t *starts; /* bytes; of each report, and the end of the file */
    size_t count;
};

/* recording_open - finds the reports of a file or pipe: one per line, or written over several lines by --json */
bool recording_open(struct recording *recording, const char *path);
void recording_close(struct recording *recording);

/* recording_read - report NUMBER (1 the first, -1 the last). For -1 a broken last report (a recording cut short) is warned
 * about and the one before taken; *broken is set then, left alone otherwise. NULL: said why. json_object_put it. */
struct json_object *recording_read(const struct recording *recording, long number, bool *broken);

/* ---- diff.c ---- */

/* pages_diff - `ldr pages diff`, argv[0] is "diff" */
int pages_diff(int argc, char **argv);

/* ---- repeat.c ---- */

/* repeat_reports - calls once(context, again) every interval_s seconds until it says stop, the number of reports is reached
 * or SIGINT or SIGTERM comes. once returns an exit status of the command; the worst of all is returned: failed, then partial,
 * then complete; no target only if no report was made. */
int repeat_reports(const struct view_options *options, int (*once)(void *context, bool again, bool *stop), void *context);

#endif
