/* columns.h - the columns of the text report: which there are, and a choice of them. */
#ifndef LDR_COLUMNS_H
#define LDR_COLUMNS_H

#include "pages/pages.h"

enum column_kind {
    COLUMN_COUNT,     /* a number of struct counts, at offset */
    COLUMN_PROCESSES, /* address spaces with pages there */
    COLUMN_SHARE,     /* shared frames in percent of frames */
};

struct column {
    const char *name;  /* as --columns and --sort call it */
    const char *title; /* over the column */
    const char *help;
    enum column_kind kind;
    size_t offset; /* of a uint64_t in struct counts */
};

enum { COLUMNS = 20 };
extern const struct column columns[COLUMNS];

/* A choice: indices into columns. */
struct column_choice {
    size_t list[COLUMNS], count; /* each once */
};

/* column_find - index of the column of this name (len bytes), COLUMNS if there is none */
size_t column_find(const char *name, size_t len);

/* columns_parse - a list of names with commas between
 *   returns NULL, or what is wrong with the word found (malloc'd) */
char *columns_parse(const char *list, struct column_choice *choice);

/* columns_default - what is shown when nothing is asked for; by_cause: the causes in the place of private, unknown: that one too;
 * memory: a column for memory without a file */
void columns_default(struct column_choice *choice, bool by_cause, bool unknown, bool memory);

/* column_is_cause - does it need to know what made pages private? */
bool column_is_cause(size_t index);

/* column_value - 0 for COLUMN_PROCESSES and COLUMN_SHARE, which counts do not hold */
static inline uint64_t column_value(size_t index, const struct counts *counts) {
    return columns[index].kind == COLUMN_COUNT ? *(const uint64_t *)((const char *)counts + columns[index].offset) : 0;
}

#endif
