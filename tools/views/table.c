/* table.c - an aligned table of text cells. */
#include "table.h"
#include "../ldr.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char *grouped(uint64_t number, char text[GROUPED_LEN]) {
    char digits[GROUPED_LEN];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, number), at = 0;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
    return text;
}

const char *grouped_change(int64_t change, char text[GROUPED_LEN]) {
    if (change == 0)
        return strcpy(text, "0");
    char digits[GROUPED_LEN];
    grouped(change < 0 ? -(uint64_t)change : (uint64_t)change, digits);
    snprintf(text, GROUPED_LEN, "%c%.30s", change < 0 ? '-' : '+', digits);
    return text;
}

char *clean_text(const char *text) {
    char *copy = must_format("%s", text);
    for (unsigned char *c = (unsigned char *)copy; *c; c++) {
        if (*c < 0x20 || *c == 0x7f)
            *c = '?';
        else if (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0) /* U+0080 to U+009F: control characters of eight-bit terminals */
            c[0] = c[1] = '?';
    }
    return copy;
}

static void add_cell(struct table *table, char *text) {
    if (table->count == table->room)
        table->cells = must_grow(table->cells, table->room = table->room * 2 + 64, sizeof *table->cells);
    table->cells[table->count++] = text;
}

void table_cell(struct table *table, const char *text) { add_cell(table, clean_text(text)); }

void table_number(struct table *table, uint64_t number) {
    char text[GROUPED_LEN];
    add_cell(table, must_format("%s", grouped(number, text)));
}

void table_change(struct table *table, int64_t change) {
    char text[GROUPED_LEN];
    add_cell(table, must_format("%s", change ? grouped_change(change, text) : ""));
}

void table_rule(struct table *table) {
    for (size_t i = 0; i < table->columns; i++)
        add_cell(table, NULL);
}

size_t text_width(const char *text) {
    size_t width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void put_blanks(FILE *out, size_t count) {
    while (count--)
        putc(' ', out);
}

/* Of each column in WIDTHS; returns that of a line. */
static size_t measure(const struct table *table, size_t *widths) {
    size_t all = 0;
    for (size_t i = 0; i < table->count; i++)
        if (table->cells[i] && text_width(table->cells[i]) > widths[i % table->columns])
            widths[i % table->columns] = text_width(table->cells[i]);
    for (size_t c = 0; c < table->columns; c++)
        all += widths[c] + (c ? 2 : 0);
    return all;
}

size_t table_width(const struct table *table) {
    size_t *widths = must_alloc(table->columns, sizeof *widths), all = measure(table, widths);
    free(widths);
    return all;
}

void table_free(struct table *table) {
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i]);
    free(table->cells);
    *table = (struct table){ .columns = table->columns, .left = table->left };
}

void table_print(FILE *out, struct table *table) {
    size_t *widths = must_alloc(table->columns, sizeof *widths), all = measure(table, widths);
    for (size_t row = 0; row < table->count; row += table->columns) {
        char **cells = &table->cells[row];
        if (!cells[0]) {
            for (size_t i = 0; i < all; i++)
                putc('-', out);
            putc('\n', out);
            continue;
        }
        size_t blanks = 0; /* written only when something follows: no line ends in blanks */
        for (size_t c = 0; c < table->columns; c++) {
            size_t width = text_width(cells[c]);
            blanks += (c ? 2 : 0) + (c < table->left ? 0 : widths[c] - width);
            if (width) {
                put_blanks(out, blanks);
                fputs(cells[c], out);
                blanks = 0;
            }
            blanks += c < table->left ? widths[c] - width : 0;
        }
        putc('\n', out);
    }
    free(widths);
    table_free(table);
}
