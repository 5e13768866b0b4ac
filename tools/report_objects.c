/* report_objects.c - the table of the text report: objects, or each one's segments, largest first; those that do not fit in one line; then
 * the sums, so that either part adds up to the total. */
#include "ldr.h"
#include "report.h"
#include "views/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_LEN = GROUPED_LEN };
/* Characters of a name that stay where the screen is narrow: before a column goes for them, and at the least. */
enum { NAME_LONG = 32, NAME_SHORT = 16 };

/* One line of the table; numbers stay numbers until the column widths are known. */
struct line {
    const char *object; /* "" under the object's first line */
    const char *segment;
    bool has_procs, rule; /* rule: a line of dashes instead */
    bool correction;      /* what the lines above are too much */
    uint64_t procs;
    struct counts counts;
};

struct lines {
    struct line *list;
    size_t count;
    struct column_choice columns;
    char **labels; /* owned: of objects, and of those that have no line of their own */
    size_t label_count;
};

static const char *keep_label(struct lines *lines, char *label) {
    lines->labels = must_grow(lines->labels, lines->label_count + 1, sizeof *lines->labels);
    return lines->labels[lines->label_count++] = label;
}

static void add_line(struct lines *lines, struct line line) {
    lines->list = must_grow(lines->list, lines->count + 1, sizeof *lines->list);
    lines->list[lines->count++] = line;
}

static bool is_empty(const struct counts *counts) { return counts->pages + counts->swapped == 0; }

static void add_segments(struct lines *lines, const struct report *report, const char *label, size_t index) {
    const struct tally *tally = report->tally;
    bool first = true;
    for (uint32_t i = tally->first_row[index]; i < tally->first_row[index + 1]; i++) {
        const struct row *row = &tally->rows[i];
        if (is_empty(&row->counts))
            continue;
        add_line(lines, (struct line){ first ? label : "", segment_name(row->kind), .has_procs = true, .procs = row->owners, .counts = row->counts });
        first = false;
    }
}

static void sum(struct counts *to, const struct counts *from) {
    for (size_t i = 0; i < COLUMNS; i++)
        if (columns[i].kind == COLUMN_COUNT)
            *(uint64_t *)((char *)to + columns[i].offset) += column_value(i, from);
}

struct sorted { size_t index, rank; uint64_t value; const char *path; };

static int compare_sorted(const void *a, const void *b) {
    const struct sorted *x = a, *y = b;
    int order = x->path ? strcmp(x->path, y->path) : x->value != y->value ? (x->value > y->value ? -1 : 1) : 0;
    return order ? order : x->rank < y->rank ? -1 : 1;
}

/* The objects in the order asked for: largest first, by path ascending. */
static size_t *sorted_objects(const struct report *report, size_t *count) {
    size_t *order = object_order(report, count);
    if (report->sort == COLUMNS)
        return order;
    struct sorted *list = must_alloc(*count, sizeof *list);
    for (size_t i = 0; i < *count; i++) {
        const struct counts *counts = &report->tally->objects[order[i]];
        list[i] = (struct sorted){ .index = order[i], .rank = i };
        if (report->sort > COLUMNS)
            list[i].path = report->collection->snapshot.objects[order[i]].path;
        else if (columns[report->sort].kind == COLUMN_PROCESSES)
            list[i].value = report->tally->object_owners[order[i]];
        else if (columns[report->sort].kind == COLUMN_SHARE)
            list[i].value = counts->frames ? counts->shared * 100 / counts->frames : 0;
        else
            list[i].value = column_value(report->sort, counts);
    }
    qsort(list, *count, sizeof *list, compare_sorted);
    for (size_t i = 0; i < *count; i++)
        order[i] = list[i].index;
    free(list);
    return order;
}

static size_t lines_of(const struct report *report, size_t index) {
    const struct tally *tally = report->tally;
    size_t count = 0;
    for (uint32_t i = tally->first_row[index]; i < tally->first_row[index + 1]; i++)
        count += !is_empty(&tally->rows[i].counts);
    return report->segments ? count : 1;
}

/* What the lines above are too much, so that the sums below are theirs; false where it is nothing. */
static bool take_off(struct counts *less, const struct counts *total) {
    bool any = false;
    for (size_t i = 0; i < COLUMNS; i++)
        if (columns[i].kind == COLUMN_COUNT) {
            *(uint64_t *)((char *)less + columns[i].offset) -= column_value(i, total);
            any |= column_value(i, less) != 0;
        }
    return any;
}

/* The objects from SHOWN on, in one line; with segments in one for each kind. */
static void add_others(struct lines *lines, const struct report *report, const size_t *order, size_t shown, size_t count) {
    const char *label = NULL;
    for (size_t kind = 0; kind < SEGMENT_KINDS && shown < count; kind++) {
        struct counts others = { 0 };
        for (size_t i = shown; i < count; i++) {
            const struct row *row = report->segments ? tally_row(report->tally, (uint32_t)order[i], (enum segment_kind)kind) : NULL;
            if (row)
                sum(&others, &row->counts);
            else if (!report->segments && kind == 0)
                sum(&others, &report->tally->objects[order[i]]);
        }
        if (is_empty(&others))
            continue;
        label = label ? "" : keep_label(lines, must_format("%zu other object%s", count - shown, plural(count - shown)));
        add_line(lines, (struct line){ label, report->segments ? segment_name(kind) : "", .counts = others });
    }
}

/* Below the rule: the sums of all objects by segment, and the total. */
static void add_sums(struct lines *lines, const struct report *report) {
    const struct tally *tally = report->tally;
    struct counts less = { 0 };
    bool first = true;
    for (size_t kind = 0; kind < SEGMENT_KINDS; kind++) {
        sum(&less, &tally->kinds[kind]);
        if (is_empty(&tally->kinds[kind]))
            continue;
        add_line(lines, (struct line){ first ? "all objects" : "", segment_name(kind), .counts = tally->kinds[kind] });
        first = false;
    }
    /* frames that two rows map were counted in both */
    if (take_off(&less, &tally->total))
        add_line(lines, (struct line){ "", "less: in two lines", .correction = true, .counts = less });
    add_line(lines, (struct line){ "total", "", .has_procs = true, .procs = report->collection->snapshot.owner_count, .counts = tally->total });
}

/* How many objects have lines of their own: as many as fit into ROOM lines, unless a number was asked for. */
static size_t choose_shown(const struct report *report, const size_t *order, size_t count, size_t room) {
    /* one object more costs no more lines than the line that would say so */
    if (report->top != TOP_FIT)
        return report->top && count > report->top + 1 ? report->top : count;
    size_t used = 0, shown = 0, others = 1;
    for (size_t i = 0; i < count; i++)
        used += lines_of(report, order[i]);
    if (used <= room)
        return count;
    if (report->segments)
        for (size_t kind = others = 0; kind < SEGMENT_KINDS; kind++)
            others += !is_empty(&report->tally->kinds[kind]);
    for (used = others; shown < count; used += lines_of(report, order[shown++]))
        if (shown >= OBJECTS_MIN && used + lines_of(report, order[shown]) > room)
            break;
    return shown;
}

static void number_cell(char cell[NUMBER_LEN], const struct line *line, size_t column) {
    uint64_t value = column_value(column, &line->counts);
    if (!line->correction)
        grouped(value, cell);
    else if (value)
        /* what the lines above are too much, or too little: below zero (copies avoided between two rows are no row's own) */
        grouped_change((int64_t)(0 - value), cell);
}

/* A name of more than WIDTH characters without its middle: the beginning says where a file is, the end which it is. */
static char *shorten(const char *name, size_t width) {
    size_t chars = text_width(name), tail = (width - 3) * 2 / 3, head = width - 3 - tail;
    if (chars <= width)
        return must_format("%s", name);
    const char *from = name, *to = name;
    for (size_t i = 0; i < head; i++)
        for (from++; (*from & 0xc0) == 0x80; from++)
            ;
    for (size_t i = 0; i < chars - tail; i++)
        for (to++; (*to & 0xc0) == 0x80; to++)
            ;
    return must_format("%.*s...%s", (int)(from - name), name, to);
}

/* Names of objects have at most NAME characters there. */
static struct table make_table(const struct lines *lines, size_t name) {
    struct table table = { .columns = 2 + lines->columns.count, .left = 2 };
    table_cell(&table, "object");
    table_cell(&table, "segment");
    for (size_t i = 0; i < lines->columns.count; i++)
        table_cell(&table, columns[lines->columns.list[i]].title);
    for (const struct line *line = lines->list; line < lines->list + lines->count; line++) {
        if (line->rule) {
            table_rule(&table);
            continue;
        }
        char *object = shorten(line->object, name);
        table_cell(&table, object);
        free(object);
        table_cell(&table, line->segment);
        for (size_t i = 0; i < lines->columns.count; i++) {
            const struct column *column = &columns[lines->columns.list[i]];
            char cell[NUMBER_LEN] = "";
            if (column->kind == COLUMN_COUNT)
                number_cell(cell, line, lines->columns.list[i]);
            else if (column->kind == COLUMN_PROCESSES && line->has_procs)
                grouped(line->procs, cell);
            else if (column->kind == COLUMN_SHARE && line->counts.frames && !line->correction)
                /* rounded down: 100 % means every one */
                snprintf(cell, sizeof cell, "%" PRIu64 " %%", line->counts.shared * 100 / line->counts.frames);
            table_cell(&table, cell);
        }
    }
    return table;
}

static void drop_column(struct column_choice *choice, const char *name) {
    size_t wanted = column_find(name, strlen(name)), kept = 0;
    for (size_t i = 0; i < choice->count; i++)
        if (choice->list[i] != wanted)
            choice->list[kept++] = choice->list[i];
    choice->count = kept;
}

/* Where WIDTH is too narrow for it: with long names shortened, then without the columns that others tell or that are wanted least, one after
 * the other, then with names as short as it takes. */
static void print_table(FILE *out, struct lines *lines, size_t width) {
    static const char *const least[] = { "share", "alone", "procs", "identical", "mapped", "shared" };
    size_t name = SIZE_MAX, dropped = 0;
    struct table table = make_table(lines, name);
    for (size_t over; width && (over = table_width(&table)) > width; ) {
        if (name == SIZE_MAX)
            name = NAME_LONG;
        else if (dropped < sizeof least / sizeof *least)
            drop_column(&lines->columns, least[dropped++]);
        else if (name > NAME_SHORT)
            name = name - (over - width) > NAME_SHORT && over - width < name ? name - (over - width) : NAME_SHORT;
        else
            break;
        table_free(&table);
        table = make_table(lines, name);
    }
    table_print(out, &table);
}

void report_objects(FILE *out, const struct report *report, size_t room, size_t width, size_t *shown, size_t *count) {
    struct lines lines = { 0 }, sums = { 0 };
    if (report->columns)
        lines.columns = *report->columns;
    else
        columns_default(&lines.columns, report->why, report->tally->total.causes[CAUSE_UNKNOWN] != 0, report->collection->snapshot.scope == SCOPE_ALL);
    add_sums(&sums, report);
    size_t *order = sorted_objects(report, count);
    struct counts less = { 0 };
    for (size_t i = 0; i < *count && !report->segments; i++)
        sum(&less, &report->tally->objects[order[i]]);
    bool overlap = !report->segments && take_off(&less, &report->tally->total);
    size_t taken = 2 + sums.count + overlap; /* with the titles and the rule */
    *shown = choose_shown(report, order, *count, room > taken ? room - taken : 0);
    struct name_clash *clashes = name_clashes(report);
    for (size_t i = 0; i < *shown; i++) {
        const char *label = keep_label(&lines, object_called(report, order[i], clashes[order[i]]));
        if (report->segments)
            add_segments(&lines, report, label, order[i]);
        else
            add_line(&lines, (struct line){ label, "", .has_procs = true, .procs = report->tally->object_owners[order[i]],
                                            .counts = report->tally->objects[order[i]] });
    }
    add_others(&lines, report, order, *shown, *count);
    if (overlap)
        add_line(&lines, (struct line){ "", "less: in two lines", .correction = true, .counts = less });
    add_line(&lines, (struct line){ .rule = true });
    for (size_t i = 0; i < sums.count; i++)
        add_line(&lines, sums.list[i]);
    print_table(out, &lines, report->columns ? 0 : width);
    free(clashes);
    free(order);
    free(sums.list);
    for (size_t i = 0; i < lines.label_count; i++)
        free(lines.labels[i]);
    free(lines.labels);
    free(lines.list);
}
