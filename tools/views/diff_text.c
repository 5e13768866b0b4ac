/* diff_text.c - the difference of two reports for people: who is compared, one sentence, a table that adds up, the causes. */
#include "diff.h"
#include "../ldr.h"
#include "table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct { const char *name, *member; bool usual; } columns[] = {
    { "mapped", "pages_mapped", true }, { "frames", "frames", true }, { "shared", "frames_shared", true },
    { "copies", "frames_shared_copies", false }, { "alone", "frames_alone", true }, { "private", "pages_private", true },
    { "reloc", "pages_private_relocation", true }, { "reloc+write", "pages_private_relocation_and_write", true },
    { "write", "pages_private_write", true }, { "identical", "pages_private_identical", true },
    { "unknown", "pages_private_unknown", false }, { "memory", "frames_memory", false }, { "avoided", "page_copies_avoided", true },
    { "again", "pages_mapped_again", false }, { "swapped", "pages_swapped", false },
    { "images", "pages_from_images", false }, { "sharable", "pages_won_relocated", false }, { "twice", "pages_won_duplicates", false },
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

static size_t count_index(const char *member) {
    size_t i = 0;
    while (strcmp(count_names[i], member) != 0)
        i++;
    return i;
}

static const char *title_of(size_t index) {
    size_t i = 0;
    while (count_index(columns[i].member) != index)
        i++;
    return columns[i].name;
}

char *diff_columns_parse(const char *list, struct diff_columns *choice) {
    choice->count = 0;
    for (const char *word = list;; word += strcspn(word, ",") + 1) {
        size_t len = strcspn(word, ","), i = 0;
        while (i < COLUMNS && (strlen(columns[i].name) != len || memcmp(columns[i].name, word, len) != 0))
            i++;
        if (i == COLUMNS)
            return must_format("there is no column '%.*s'", (int)len, word);
        if (choice->count == DIFF_COLUMNS_MAX)
            return must_format("more than %d columns", DIFF_COLUMNS_MAX);
        choice->list[choice->count++] = count_index(columns[i].member);
        if (!word[len])
            return NULL;
    }
}

/* The usual columns, and three that are shown where there is something to show. */
static struct diff_columns usual_columns(const struct diff *diff) {
    struct diff_columns choice = { .count = 0 };
    for (size_t c = 0; c < COLUMNS; c++) {
        size_t i = count_index(columns[c].member);
        bool shown_if_any = strcmp(columns[c].name, "unknown") == 0 || strcmp(columns[c].name, "memory") == 0 ||
                            strcmp(columns[c].name, "images") == 0;
        if (columns[c].usual || (shown_if_any && (diff->totals[BEFORE].counts[i] || diff->totals[AFTER].counts[i])))
            choice.list[choice.count++] = i;
    }
    return choice;
}

static uint64_t size_of(int64_t change) { return change < 0 ? -(uint64_t)change : (uint64_t)change; }

/* Largest change of private pages first, then of frames, of mapped pages, then by path. */
static int compare_changes(const void *a, const void *b) {
    const struct entry *x = *(const struct entry *const *)a, *y = *(const struct entry *const *)b;
    static const char *const by[] = { "pages_private", "frames", "pages_mapped" };
    for (size_t i = 0; i < sizeof by / sizeof by[0]; i++) {
        uint64_t of_x = size_of(change_of(x->numbers, count_index(by[i]))), of_y = size_of(change_of(y->numbers, count_index(by[i])));
        if (of_x != of_y)
            return of_x > of_y ? -1 : 1;
    }
    return strcmp(x->path, y->path);
}

/* Is there anything in the line of changes? */
static bool shows_change(const struct numbers numbers[SIDES], bool has_processes, const struct diff_columns *choice) {
    bool any = has_processes && numbers[BEFORE].processes != numbers[AFTER].processes;
    for (size_t c = 0; c < choice->count; c++)
        any |= change_of(numbers, choice->list[c]) != 0;
    return any;
}

static void add_lines(struct table *table, const char *label, const struct numbers numbers[SIDES], const bool there[SIDES],
                      bool has_processes, const struct diff_columns *choice) {
    int lines = shows_change(numbers, has_processes, choice) ? SIDES + 1 : SIDES;
    for (int line = 0; line < lines; line++) {
        table_cell(table, line == 0 ? label : "");
        table_cell(table, line < SIDES ? side_names[line] : "change");
        bool blank = line < SIDES && !there[line];
        if (blank || !has_processes)
            table_cell(table, blank ? "-" : "");
        else if (line < SIDES)
            table_number(table, numbers[line].processes);
        else
            table_change(table, (int64_t)numbers[AFTER].processes - (int64_t)numbers[BEFORE].processes);
        for (size_t c = 0; c < choice->count; c++) {
            size_t i = choice->list[c];
            if (blank)
                table_cell(table, "-");
            else if (line < SIDES)
                table_number(table, numbers[line].counts[i]);
            else
                table_change(table, change_of(numbers, i));
        }
    }
}

/* The last part of the path, or all of it where another object has the same last part. */
static const char *label_of(const struct diff *diff, const struct entry *entry) {
    for (size_t i = 0; i < diff->count; i++)
        if (&diff->entries[i] != entry && strcmp(file_name(diff->entries[i].path), file_name(entry->path)) == 0)
            return entry->path;
    return file_name(entry->path);
}

static void print_table(const struct diff *diff, const struct diff_columns *choice, size_t top) {
    const bool both[SIDES] = { true, true };
    struct table table = { .columns = choice->count + 3, .left = 2 };
    table_cell(&table, "object");
    table_cell(&table, "report");
    table_cell(&table, "procs");
    for (size_t c = 0; c < choice->count; c++)
        table_cell(&table, title_of(choice->list[c]));

    const struct entry **changed = must_alloc(diff->count, sizeof *changed);
    size_t count = 0;
    for (size_t i = 0; i < diff->count; i++)
        if (is_changed(&diff->entries[i]))
            changed[count++] = &diff->entries[i];
    qsort(changed, count, sizeof *changed, compare_changes);
    size_t shown = top && count > top + 1 ? top : count;
    for (size_t i = 0; i < shown; i++)
        add_lines(&table, label_of(diff, changed[i]), changed[i]->numbers, changed[i]->there, true, choice);
    if (count > shown) {
        struct numbers others[SIDES] = { 0 };
        for (size_t i = shown; i < count; i++)
            for (int side = 0; side < SIDES; side++)
                merge_numbers(&others[side], &changed[i]->numbers[side]);
        char *label = must_format("%zu others changed", count - shown);
        add_lines(&table, label, others, both, false, choice);
        free(label);
    }
    if (diff->count > count) {
        struct numbers equal[SIDES] = { 0 };
        for (size_t i = 0; i < diff->count; i++)
            for (int side = 0; side < SIDES && !is_changed(&diff->entries[i]); side++)
                merge_numbers(&equal[side], &diff->entries[i].numbers[side]);
        char *label = must_format("%zu unchanged", diff->count - count);
        add_lines(&table, label, equal, both, false, choice);
        free(label);
    }
    table_rule(&table);
    add_lines(&table, "total", diff->totals, both, true, choice);
    table_print(stdout, &table);
    free(changed);
}

static void print_sides(const struct diff *diff) {
    bool methods = strcmp(member_text(diff->sides[BEFORE].document, "method"), member_text(diff->sides[AFTER].document, "method")) != 0;
    for (int i = 0; i < SIDES; i++) {
        const struct side *side = &diff->sides[i];
        char *method = clean_text(methods ? member_text(side->document, "method") : "");
        char *time = clean_text(member_text(side->document, "time")), *file = clean_text(side->file);
        printf("%-6s  %s%s%" PRIu64 " process%s%s%s%s%s, %s (%s, report %ld of %" PRIu64 ")\n", side_names[i], time, *time ? ", " : "",
               diff->totals[i].processes, diff->totals[i].processes == 1 ? "" : "es", *side->linkers ? " on " : "",
               side->linkers, methods ? ", by " : "", method, member_flag(side->document, "exact") ? "exact" : "not exact", file, side->number, side->reports);
        free(method);
        free(time);
        free(file);
    }
}

static void print_headline(const struct diff *diff) {
    static const struct { const char *member, *words; } said[] = {
        { "frames", "physical pages" }, { "pages_private", "private copies" }, { "page_copies_avoided", "copies avoided" } };
    bool bold = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    double page_bytes = (double)member_count(diff->sides[AFTER].document, "page_bytes");
    printf("\n%s", bold ? "\033[1m" : "");
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        size_t index = count_index(said[i].member);
        int64_t change = change_of(diff->totals, index);
        char before[GROUPED_LEN], after[GROUPED_LEN], text[GROUPED_LEN];
        printf("%s%s %s -> %s (%s", i ? "; " : "", said[i].words, grouped(diff->totals[BEFORE].counts[index], before),
               grouped(diff->totals[AFTER].counts[index], after), grouped_change(change, text));
        double mib = (double)change * page_bytes / (1024.0 * 1024.0);
        if (mib <= -0.05 || mib >= 0.05)
            printf(", %+.1f MiB", mib);
        putchar(')');
    }
    printf(".%s\n\n", bold ? "\033[0m" : "");
}

static void print_causes(const struct diff *diff) {
    static const char *const words[CAUSE_NAMES] = { "relocation only", "relocation and write", "write only", "identical to the file",
                                                    "unknown cause" };
    putchar('\n');
    for (int line = 0; line <= SIDES; line++) {
        char text[GROUPED_LEN];
        size_t all = count_index("pages_private");
        printf("private %s %s =", line < SIDES ? side_names[line] : "change",
               line < SIDES ? grouped(diff->totals[line].counts[all], text) : grouped_change(change_of(diff->totals, all), text));
        for (size_t c = 0; c < CAUSE_NAMES; c++) {
            size_t i = count_index(cause_names[c].member);
            if (strcmp(cause_names[c].title, "unknown") == 0 && !diff->totals[BEFORE].counts[i] && !diff->totals[AFTER].counts[i])
                continue;
            printf("%s %s %s", c == 0 ? "" : line < SIDES ? " +" : ",", words[c],
                   line < SIDES ? grouped(diff->totals[line].counts[i], text) : grouped_change(change_of(diff->totals, i), text));
        }
        putchar('\n');
    }
}

void diff_print(const struct diff *diff, const struct diff_columns *wanted, size_t top) {
    struct diff_columns choice = wanted->count ? *wanted : usual_columns(diff);
    print_sides(diff);
    print_headline(diff);
    print_table(diff, &choice, top);
    print_causes(diff);
}
