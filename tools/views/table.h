/* table.h - an aligned table of text cells for a terminal: the first columns to the left, numbers to the right. */
#ifndef LDR_VIEWS_TABLE_H
#define LDR_VIEWS_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct table {
    char **cells;         /* rows * columns, owned; NULL in the first column: a rule */
    size_t columns, left; /* of these columns the first LEFT are aligned to the left */
    size_t count, room;   /* cells */
};

/* table_cell - the next cell, from left to right, row by row. Control characters are shown as '?': names are hostile. */
void table_cell(struct table *table, const char *text);
/* table_number - 12,345; blank if it shall stay so */
void table_number(struct table *table, uint64_t number);
/* table_change - +12, -3, or blank for 0 */
void table_change(struct table *table, int64_t change);
/* table_rule - a line of dashes; only at the beginning of a row */
void table_rule(struct table *table);
/* table_width - characters of a line */
size_t table_width(const struct table *table);
/* table_print - prints and frees the cells; table_free - frees them only */
void table_free(struct table *table);
void table_print(FILE *out, struct table *table);

/* grouped - 12,345,678 */
enum { GROUPED_LEN = 32 };
const char *grouped(uint64_t number, char text[GROUPED_LEN]);
/* grouped_change - +12,345, -1 or 0 */
const char *grouped_change(int64_t change, char text[GROUPED_LEN]);
/* text_width - characters of it, not bytes */
size_t text_width(const char *text);
/* clean_text - a copy with '?' for control characters; malloc'd */
char *clean_text(const char *text);

#endif
