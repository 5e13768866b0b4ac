/* report_text.c - the page report for people: a headline, one table that adds up, and what limits it. */
#include "ldr.h"
#include "report.h"
#include "host/resident.h"
#include "views/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { NUMBER_LEN = GROUPED_LEN, WON_NAMED = 5 };

static double mib(uint64_t pages) { return (double)pages * (double)PAGE_LEN / (1024.0 * 1024.0); }

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
};

static void add_line(struct lines *lines, struct line line) {
    lines->list = must_grow(lines->list, lines->count + 1, sizeof *lines->list);
    lines->list[lines->count++] = line;
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

static void add_object(struct lines *lines, const struct report *report, const char *label, size_t index) {
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

static void fill_table(struct lines *lines, const struct report *report, char **others_label) {
    const struct tally *tally = report->tally;
    size_t count, *order = sorted_objects(report, &count);
    /* one object more costs no more lines than the line that would say so */
    size_t shown = report->top && count > report->top + 1 ? report->top : count;
    for (size_t i = 0; i < shown; i++)
        add_object(lines, report, object_label(report, order, count, order[i]), order[i]);
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
        add_line(lines, (struct line){ first ? *others_label : "", segment_name(kind), .counts = others });
        first = false;
    }
    add_line(lines, (struct line){ .rule = true });
    first = true;
    for (size_t kind = 0; kind < SEGMENT_KINDS; kind++) {
        if (is_empty(&tally->kinds[kind]))
            continue;
        add_line(lines, (struct line){ first ? "all objects" : "", segment_name(kind), .counts = tally->kinds[kind] });
        first = false;
    }
    if (tally->rows_overlap) {
        /* frames that two rows map were counted in both: what the lines above are too much, so that the last line is the sum */
        struct counts less = { 0 };
        for (size_t kind = 0; kind < SEGMENT_KINDS; kind++)
            sum(&less, &tally->kinds[kind]);
        for (size_t i = 0; i < COLUMNS; i++)
            if (columns[i].kind == COLUMN_COUNT)
                *(uint64_t *)((char *)&less + columns[i].offset) -= column_value(i, &tally->total);
        add_line(lines, (struct line){ "", "less: in two lines", .correction = true, .counts = less });
    }
    add_line(lines, (struct line){ "total", "", .has_procs = true, .procs = report->collection->snapshot.owner_count, .counts = tally->total });
    free(order);
}

static void number_cell(char cell[NUMBER_LEN], const struct line *line, size_t column) {
    uint64_t value = column_value(column, &line->counts);
    if (!line->correction)
        grouped(value, cell);
    else if (value)
        /* what the lines above are too much, or too little: below zero (copies avoided between two rows are no row's own) */
        grouped_change(-(int64_t)value, cell);
}

static struct table make_table(const struct lines *lines) {
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
        table_cell(&table, line->object);
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

/* On a terminal too narrow for it, without the columns that others tell or that are wanted least, one after the other. */
static void print_table(struct lines *lines, bool chosen) {
    static const char *const least[] = { "share", "alone", "procs", "identical", "mapped", "shared" };
    struct table table = make_table(lines);
    struct winsize terminal = { 0 };
    if (!chosen && isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &terminal) == 0 && terminal.ws_col)
        for (size_t i = 0; i < sizeof least / sizeof *least && table_width(&table) > terminal.ws_col; i++) {
            drop_column(&lines->columns, least[i]);
            table_free(&table);
            table = make_table(lines);
        }
    table_print(stdout, &table);
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

/* Said only where a process was started from the linker's cache. */
static void print_images(const struct report *report) {
    const struct counts *total = &report->tally->total;
    char pages[NUMBER_LEN], frames[NUMBER_LEN], avoided[NUMBER_LEN];
    if (total->images)
        printf("shared images (relocated once, for all): %s mapped pages of RELRO and data, private copies otherwise, in %s frames: "
               "%s copies avoided, %.1f MiB saved\n",
               grouped(total->images, pages), grouped(total->images - total->images_avoided, frames), grouped(total->images_avoided, avoided),
               mib(total->images_avoided));
}

/* The objects where most could be won by sharing relocated pages. */
static void print_won_objects(const struct report *report) {
    const struct tally *tally = report->tally;
    size_t count, *order = object_order(report, &count);
    uint64_t left = tally->total.won_relocated;
    char pages[NUMBER_LEN];
    for (size_t named = 0; named < WON_NAMED; named++) {
        size_t best = SIZE_MAX;
        for (size_t i = 0; i < count; i++)
            if (order[i] != SIZE_MAX && tally->objects[order[i]].won_relocated &&
                (best == SIZE_MAX || tally->objects[order[i]].won_relocated > tally->objects[order[best]].won_relocated))
                best = i;
        if (best == SIZE_MAX)
            break;
        const char *path = report->collection->snapshot.objects[order[best]].path, *slash = strrchr(path, '/');
        char *name = clean_text(slash ? slash + 1 : path);
        printf("%s%s %s", named ? ", " : " (", name, grouped(tally->objects[order[best]].won_relocated, pages));
        left -= tally->objects[order[best]].won_relocated;
        order[best] = SIZE_MAX;
        free(name);
    }
    printf("%s)", left ? ", ..." : "");
    free(order);
}

static void print_duplicates(const struct report *report) {
    const struct tally *tally = report->tally;
    char pages[NUMBER_LEN];
    for (size_t i = 0; i < tally->duplicates_count && tally->duplicates[i].won && i < WON_NAMED; i++) {
        const struct duplicates *set = &tally->duplicates[i];
        printf("  %s of", grouped(set->won, pages));
        for (size_t k = 0; k < set->count && k < WON_NAMED; k++) {
            char *path = clean_text(report->collection->snapshot.objects[set->objects[k]].path);
            printf("%s %s", k ? "," : "", path);
            free(path);
        }
        printf("%s\n", set->count > WON_NAMED ? ", ..." : "");
    }
}

/* The first is known where contents were compared, the second always, and said when there is any. */
static void print_won(const struct report *report) {
    const struct counts *total = &report->tally->total;
    char pages[NUMBER_LEN];
    bool bound = total->causes[CAUSE_UNKNOWN] || total->unresolved;
    if (report->collection->causes_sought && total->causes[CAUSE_RELOCATION]) {
        printf("could be won: ");
        if (total->won_relocated) {
            printf("%s%s pages, %.1f MiB, if relocated pages with equal content were shared", bound ? "at least " : "",
                   grouped(total->won_relocated, pages), mib(total->won_relocated));
            print_won_objects(report);
            putchar('\n');
        } else {
            printf("nothing by sharing relocated pages%s: no two processes have the same content in one\n",
                   bound ? " that could be told apart" : "");
        }
    }
    if (total->won_duplicates) {
        printf("could be won: %s pages, %.1f MiB, if files of the same build-id were one file\n", grouped(total->won_duplicates, pages),
               mib(total->won_duplicates));
        print_duplicates(report);
    }
}

static void print_causes(const struct report *report) {
    const struct counts *total = &report->tally->total;
    const struct collection *collection = report->collection;
    char all[NUMBER_LEN], text[CAUSES][NUMBER_LEN];
    for (size_t cause = 0; cause < CAUSES; cause++)
        grouped(total->causes[cause], text[cause]);
    if (!collection->causes_sought) {
        printf("private %s: --why tells what made them so, and what could be won\n", grouped(total->private_copies, all));
        return;
    }
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
    print_images(report);
    print_won(report);
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
    uint64_t unmapped = 0, cached;
    bool known = false;
    for (size_t i = 0; i < collection->snapshot.object_count; i++)
        if (file_resident(&collection->snapshot.objects[i], &cached)) {
            unmapped += file_unmapped(cached, &report->tally->objects[i]);
            known = true;
        }
    if (known)
        printf("page cache: %s pages more of the mapped files, in memory and mapped by none of these processes\n", grouped(unmapped, a));
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
    struct lines lines = { 0 };
    if (report->columns)
        lines.columns = *report->columns;
    else
        columns_default(&lines.columns, report->why, report->tally->total.causes[CAUSE_UNKNOWN] != 0, all);
    char *others_label = NULL;
    print_headline(report);
    fill_table(&lines, report, &others_label);
    print_table(&lines, report->columns != NULL);
    print_sums(report);
    if (all)
        print_classes(report);
    print_method(report);
    free(others_label);
    free(lines.list);
}
