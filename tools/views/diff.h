/* diff.h - two reports, object by object: what diff.c makes of two documents and diff_text.c prints. */
#ifndef LDR_VIEWS_DIFF_H
#define LDR_VIEWS_DIFF_H

#include "views.h"

enum { BEFORE, AFTER, SIDES };
extern const char *const side_names[SIDES]; /* "before", "after" */

struct numbers { uint64_t processes, counts[COUNT_NAMES]; }; /* counts in the order of count_names */

struct entry {
    const char *path; /* the document's */
    bool there[SIDES];
    struct numbers numbers[SIDES];
};

struct side {
    const char *file;
    long number;
    uint64_t reports; /* in the file */
    struct json_object *document;
    char *linkers; /* "ld-ldr.so", "ld-ldr.so (3 of 4)", ..., "" not known */
    bool broken;   /* a report after this one was passed over */
};

struct diff {
    struct side sides[SIDES];
    struct entry *entries; /* by path */
    size_t count;
    struct numbers totals[SIDES];
};

/* change_of - of count i (index into count_names), after less before */
static inline int64_t change_of(const struct numbers *numbers, size_t i) {
    return (int64_t)numbers[AFTER].counts[i] - (int64_t)numbers[BEFORE].counts[i];
}

/* merge_numbers - adds the counts, not the processes (which may be the same ones) */
void merge_numbers(struct numbers *to, const struct numbers *from);

/* is_changed - in any number, or there in one report only */
bool is_changed(const struct entry *entry);

/* What the table shows of each object. */
enum { DIFF_COLUMNS_MAX = 32 };
struct diff_columns { size_t list[DIFF_COLUMNS_MAX], count; }; /* indices into count_names; count 0: the usual ones */
/* diff_columns_parse - names as --columns of ldr pages has them, with commas between; NULL, or what is wrong (malloc'd) */
char *diff_columns_parse(const char *list, struct diff_columns *columns);

/* diff_print - sentences, table of the TOP objects with the largest changes (0: all), causes, on standard output */
void diff_print(const struct diff *diff, const struct diff_columns *columns, size_t top);

#endif
