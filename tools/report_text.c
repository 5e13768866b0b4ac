/* report_text.c - the page report for people: a headline, one table that adds up, and what limits it. */
#include "ldr.h"
#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NUMBER_LEN = 32, COLUMNS_MAX = 8 + CAUSES };

/* What stands for "private" in the columns when causes are asked for, in this order; the last only where it is needed. */
static const struct { enum page_cause cause; const char *title; } cause_columns[CAUSES] = {
    { CAUSE_RELOCATION, "reloc" }, { CAUSE_RELOCATION_AND_WRITE, "reloc+write" }, { CAUSE_WRITE, "write" },
    { CAUSE_IDENTICAL, "identical" }, { CAUSE_UNKNOWN, "unknown" },
};

/* 12,345,678 */
static const char *grouped(uint64_t number, char text[NUMBER_LEN]) {
    char digits[NUMBER_LEN];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, number), at = 0;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
    return text;
}

static double mib(uint64_t pages) { return (double)pages * (double)PAGE_LEN / (1024.0 * 1024.0); }

/* One line of the table; numbers stay numbers until the column widths are known. */
struct line {
    const char *object; /* "" under the object's first line */
    const char *segment;
    bool has_procs, rule; /* rule: a line of dashes instead */
    uint64_t procs;
    struct counts counts;
};

struct table {
    struct line *lines;
    size_t count;
    bool memory;   /* a column for memory without a file */
    size_t causes; /* columns of cause_columns in the place of "private"; 0: not asked for */
};

static void add_line(struct table *table, struct line line) {
    table->lines = must_grow(table->lines, table->count + 1, sizeof *table->lines);
    table->lines[table->count++] = line;
}

static bool is_empty(const struct counts *counts) { return counts->pages + counts->swapped == 0; }

/* The last part of the path, or all of it where two objects have the same last part. */
static const char *object_label(const struct report *report, const size_t *order, size_t count, size_t index) {
    const struct object *objects = report->collection->snapshot.objects;
    const char *slash = strrchr(objects[index].path, '/'), *name = slash ? slash + 1 : objects[index].path;
    for (size_t i = 0; i < count; i++) {
        const char *other = strrchr(objects[order[i]].path, '/');
        if (order[i] != index && strcmp(other ? other + 1 : objects[order[i]].path, name) == 0)
            return objects[index].path;
    }
    return name;
}

static void add_object(struct table *table, const struct report *report, const char *label, size_t index) {
    const struct tally *tally = report->tally;
    bool first = true;
    for (uint32_t i = tally->first_row[index]; i < tally->first_row[index + 1]; i++) {
        const struct row *row = &tally->rows[i];
        if (is_empty(&row->counts))
            continue;
        add_line(table, (struct line){ first ? label : "", segment_name(row->kind), true, false, row->owners, row->counts });
        first = false;
    }
}

static void sum(struct counts *to, const struct counts *from) {
    to->pages += from->pages;
    to->frames += from->frames;
    to->shared += from->shared;
    to->alone += from->alone;
    to->private_copies += from->private_copies;
    for (size_t cause = 0; cause < CAUSES; cause++)
        to->causes[cause] += from->causes[cause];
    to->memory += from->memory;
    to->avoided += from->avoided;
}

static void fill_table(struct table *table, const struct report *report, char **others_label) {
    const struct tally *tally = report->tally;
    size_t count, *order = object_order(report, &count);
    /* one object more costs no more lines than the line that would say so */
    size_t shown = report->top && count > report->top + 1 ? report->top : count;
    for (size_t i = 0; i < shown; i++)
        add_object(table, report, object_label(report, order, count, order[i]), order[i]);
    bool first = true;
    for (size_t kind = 0; kind < SEGMENT_KINDS; kind++) {
        struct counts others = { 0 };
        for (size_t i = shown; i < count; i++) {
            const struct row *row = tally_row(tally, (uint32_t)order[i], (enum segment_kind)kind);
            if (row)
                sum(&others, &row->counts);
        }
        if (is_empty(&others))
            continue;
        if (!*others_label)
            *others_label = must_format("%zu other objects", count - shown);
        add_line(table, (struct line){ first ? *others_label : "", segment_name(kind), false, false, 0, others });
        first = false;
    }
    add_line(table, (struct line){ .rule = true });
    first = true;
    for (size_t kind = 0; kind < SEGMENT_KINDS; kind++) {
        if (is_empty(&tally->kinds[kind]))
            continue;
        add_line(table, (struct line){ first ? "all objects" : "", segment_name(kind), false, false, 0, tally->kinds[kind] });
        first = false;
    }
    if (tally->rows_overlap) {
        /* frames that two rows map were counted in both: taken off once, so that the last line is the sum */
        struct counts all = { 0 }, less = { 0 };
        for (size_t kind = 0; kind < SEGMENT_KINDS; kind++)
            sum(&all, &tally->kinds[kind]);
        less.frames = all.frames - tally->total.frames;
        less.shared = all.shared - tally->total.shared;
        less.alone = all.alone - tally->total.alone;
        less.private_copies = all.private_copies - tally->total.private_copies;
        less.memory = all.memory - tally->total.memory;
        for (size_t cause = 0; cause < CAUSES; cause++)
            less.causes[cause] = all.causes[cause] - tally->total.causes[cause];
        add_line(table, (struct line){ "", "less: in two lines", false, false, 0, less });
    }
    add_line(table, (struct line){ "total", "", true, false, report->collection->snapshot.owner_count, tally->total });
    free(order);
}

/* The cells of a line, or with LINE NULL the titles; their number. */
static int line_cells(const struct table *table, const struct line *line, char cells[COLUMNS_MAX][NUMBER_LEN]) {
    static const struct counts none;
    const struct counts *c = line ? &line->counts : &none;
    struct { const char *title; uint64_t value; } numbers[COLUMNS_MAX] = {
        { "mapped", c->pages }, { "frames", c->frames }, { "shared", c->shared }, { "alone", c->alone } };
    int count = 4, cell = 0;
    for (size_t i = 0; i < table->causes; i++, count++) {
        numbers[count].title = cause_columns[i].title;
        numbers[count].value = c->causes[cause_columns[i].cause];
    }
    if (!table->causes) {
        numbers[count].title = "private";
        numbers[count++].value = c->private_copies;
    }
    if (table->memory) {
        numbers[count].title = "memory";
        numbers[count++].value = c->memory;
    }
    numbers[count].title = "avoided";
    numbers[count++].value = c->avoided;

    memset(cells, 0, (size_t)COLUMNS_MAX * NUMBER_LEN);
    bool correction = line && strncmp(line->segment, "less", 4) == 0;
    if (!line)
        strcpy(cells[cell], "procs");
    else if (line->has_procs)
        grouped(line->procs, cells[cell]);
    cell++;
    for (int i = 0; i < count; i++, cell++) {
        if (!line) {
            strcpy(cells[cell], numbers[i].title);
        } else if (!correction) {
            grouped(numbers[i].value, cells[cell]);
        } else if (numbers[i].value) {
            cells[cell][0] = '-';
            grouped(numbers[i].value, cells[cell] + 1);
        }
    }
    /* rounded down: 100 % means every one */
    if (!line)
        strcpy(cells[cell], "shared");
    else if (!correction && c->frames)
        snprintf(cells[cell], NUMBER_LEN, "%" PRIu64 " %%", c->shared * 100 / c->frames);
    return cell + 1;
}

static void print_table(const struct table *table) {
    int object_width = 6, segment_width = 9, widths[COLUMNS_MAX];
    char cells[COLUMNS_MAX][NUMBER_LEN], titles[COLUMNS_MAX][NUMBER_LEN];
    int columns = line_cells(table, NULL, titles);
    for (int c = 0; c < columns; c++)
        widths[c] = (int)strlen(titles[c]);
    for (size_t i = 0; i < table->count; i++) {
        const struct line *line = &table->lines[i];
        if (line->rule)
            continue;
        line_cells(table, line, cells);
        if ((int)strlen(line->object) > object_width)
            object_width = (int)strlen(line->object);
        if ((int)strlen(line->segment) > segment_width)
            segment_width = (int)strlen(line->segment);
        for (int c = 0; c < columns; c++)
            if ((int)strlen(cells[c]) > widths[c])
                widths[c] = (int)strlen(cells[c]);
    }
    printf("%-*s  %-*s", object_width, "object", segment_width, "segment");
    int total = object_width + 2 + segment_width;
    for (int c = 0; c < columns; c++) {
        printf("  %*s", widths[c], titles[c]);
        total += 2 + widths[c];
    }
    putchar('\n');
    for (size_t i = 0; i < table->count; i++) {
        const struct line *line = &table->lines[i];
        if (line->rule) {
            for (int c = 0; c < total; c++)
                putchar('-');
            putchar('\n');
            continue;
        }
        line_cells(table, line, cells);
        int last = columns - 1;
        while (last >= 0 && !*cells[last])
            last--;
        printf("%-*s  %-*s", object_width, line->object, segment_width, line->segment);
        for (int c = 0; c <= last; c++)
            printf("  %*s", widths[c], cells[c]);
        putchar('\n');
    }
}

static void print_headline(const struct report *report) {
    const struct counts *total = &report->tally->total;
    size_t processes = report->collection->snapshot.owner_count;
    char pages[NUMBER_LEN], frames[NUMBER_LEN], avoided[NUMBER_LEN];
    bool bold = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    bool all = report->collection->snapshot.scope == SCOPE_ALL;
    printf("%s%zu %sprocess%s%s map%s %s pages%s in %s physical pages: "
           "%s page copies avoided, %.1f MiB saved.%s\n\n",
           bold ? "\033[1m" : "", processes, report->which, plural_es(processes), report->where, processes == 1 ? "s" : "",
           grouped(total->pages, pages), all ? "" : " of programs and libraries", grouped(total->frames, frames), grouped(total->avoided, avoided), mib(total->avoided),
           bold ? "\033[0m" : "");
}

static void print_causes(const struct report *report) {
    const struct counts *total = &report->tally->total;
    const struct collection *collection = report->collection;
    char all[NUMBER_LEN], text[CAUSES][NUMBER_LEN];
    for (size_t cause = 0; cause < CAUSES; cause++)
        grouped(total->causes[cause], text[cause]);
    printf("private %s = relocation only %s + relocation and write %s + write only %s + identical to the file %s",
           grouped(total->private_copies, all), text[CAUSE_RELOCATION], text[CAUSE_RELOCATION_AND_WRITE], text[CAUSE_WRITE],
           text[CAUSE_IDENTICAL]);
    if (total->causes[CAUSE_UNKNOWN])
        printf(" + unknown cause %s (%s)", text[CAUSE_UNKNOWN],
               collection->memory_unreadable   ? "memory not readable"
               : collection->files_unexplained ? "file not readable"
                                               : "changed meanwhile");
    putchar('\n');
}

static void print_sums(const struct report *report) {
    const struct counts *total = &report->tally->total;
    char a[NUMBER_LEN], b[NUMBER_LEN], c[NUMBER_LEN], d[NUMBER_LEN];
    printf("\nmapped %s = frames %s + copies avoided %s", grouped(total->pages, a), grouped(total->frames, b),
           grouped(total->avoided, c));
    if (total->again)
        printf(" + mapped again by the same process %s", grouped(total->again, d));
    printf("\nframes %s = shared %s (by two or more processes) + alone %s (file page of one process) + private %s (its own copy)",
           grouped(total->frames, a), grouped(total->shared, b), grouped(total->alone, c), grouped(total->private_copies, d));
    if (report->collection->snapshot.scope == SCOPE_ALL)
        printf(" + memory %s (its own, of no file)", grouped(total->memory, a));
    putchar('\n');
    print_causes(report);
    printf("memory: %.1f MiB mapped, %.1f MiB used, %.1f MiB saved (pages of %" PRIu64 " bytes)\n", mib(total->pages),
           mib(total->frames), mib(total->avoided), PAGE_LEN);
    if (total->shared_copies)
        printf("%s of the shared frames are copies, inherited by fork or merged by KSM\n", grouped(total->shared_copies, a));
    if (total->swapped)
        printf("%s page%s more in swap\n", grouped(total->swapped, a), plural(total->swapped));
}

/* Every page in one class, and the sums that the kernel has too. */
static void print_classes(const struct report *report) {
    const struct collection *collection = report->collection;
    const uint64_t *classes = report->tally->total.classes;
    uint64_t resident = 0, swapped = 0, rss = 0, swap = 0, tables = 0;
    char a[NUMBER_LEN], b[NUMBER_LEN], c[NUMBER_LEN], d[NUMBER_LEN];
    for (size_t i = 0; i < collection->snapshot.owner_count; i++) {
        rss += collection->names[i].facts.rss_pages;
        swap += collection->names[i].facts.swap_pages;
        tables += collection->names[i].facts.page_table_kib;
    }
    printf("\n%-34s  %12s  %10s\n", "pages by class", "pages", "MiB");
    for (size_t i = 0; i < CLASSES; i++) {
        enum page_class class = (enum page_class)i;
        resident += class_is_resident(class) ? classes[i] : 0;
        swapped += class_is_swapped(class) ? classes[i] : 0;
        if (classes[i])
            printf("%-34s  %12s  %10.1f%s\n", class_title(class), grouped(classes[i], a), mib(classes[i]),
                   class_is_resident(class) || class_is_swapped(class) ? "" : "  not in RSS");
    }
    printf("resident %s %s RSS %s of the kernel's count; swapped %s %s swap %s\n", grouped(resident, a), resident == rss ? "=" : "beside",
           grouped(rss, b), grouped(swapped, c), swapped == swap ? "=" : "beside", grouped(swap, d));
    printf("page tables of these processes: %.1f MiB more\n\n", (double)tables / 1024);
}

static void print_method(const struct report *report) {
    const struct collection *collection = report->collection;
    printf("method: %s, %u readings, %s\n",
           collection->snapshot.method == METHOD_FRAMES ? "frame numbers (/proc/PID/pagemap)"
                                                        : "file identity (no CAP_SYS_ADMIN for frame numbers)",
           collection->readings, report->exact ? "exact" : "not complete (see below)");
}

void report_text(const struct report *report) {
    bool all = report->collection->snapshot.scope == SCOPE_ALL;
    struct table table = { .memory = all, .causes = !report->why ? 0 : report->tally->total.causes[CAUSE_UNKNOWN] ? CAUSES : CAUSES - 1 };
    char *others_label = NULL;
    print_headline(report);
    fill_table(&table, report, &others_label);
    print_table(&table);
    print_sums(report);
    if (all)
        print_classes(report);
    print_method(report);
    free(others_label);
    free(table.lines);
}
