/* text.c - the story for people: a headline, sections, the variables that cost most, the pages that could be won, and the sum. */
#include "../ldr.h"
#include "why.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TOP_DEFAULT = 10, LINES_A_PAGE = 12, CELL_MAX = 160, COLUMNS_MAX = 12, NUMBER_LEN = 32 };

static const char *plural(uint64_t count) { return count == 1 ? "" : "s"; }
static double mib(uint64_t pages) { return (double)pages * (double)PAGE_LEN / (1024.0 * 1024.0); }

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

/* ---- tables: cells first, widths when all are there ---- */

struct table {
    size_t columns;
    size_t left; /* the first so many columns are text */
    char (*cells)[COLUMNS_MAX][CELL_MAX];
    size_t rows, room, column;
};

static void new_row(struct table *table) {
    if (table->rows == table->room)
        table->cells = must_grow(table->cells, table->room = table->room * 2 + 16, sizeof *table->cells);
    memset(table->cells[table->rows++], 0, sizeof *table->cells);
    table->column = 0;
}

static void __attribute__((format(printf, 2, 3))) cell(struct table *table, const char *format, ...) {
    va_list args;
    char *to = table->cells[table->rows - 1][table->column++];
    va_start(args, format);
    if (vsnprintf(to, CELL_MAX, format, args) >= CELL_MAX)
        strcpy(to + CELL_MAX - 4, "...");
    va_end(args);
}

static void number_cell(struct table *table, uint64_t number) {
    char text[NUMBER_LEN];
    cell(table, "%s", grouped(number, text));
}

/* Text cut to a width, its end marked. */
static void cut_cell(struct table *table, size_t width, const char *text) {
    if (strlen(text) <= width)
        cell(table, "%s", text);
    else
        cell(table, "%.*s...", (int)width - 3, text);
}

static void print_table(struct table *table) {
    size_t widths[COLUMNS_MAX] = { 0 };
    for (size_t r = 0; r < table->rows; r++)
        for (size_t c = 0; c < table->columns; c++)
            if (strlen(table->cells[r][c]) > widths[c])
                widths[c] = strlen(table->cells[r][c]);
    for (size_t r = 0; r < table->rows; r++) {
        size_t last = table->columns;
        while (last > 0 && !*table->cells[r][last - 1])
            last--;
        for (size_t c = 0; c < last; c++)
            if (c < table->left)
                printf("%s%-*s", c ? "  " : "", c + 1 < last ? (int)widths[c] : 0, table->cells[r][c]);
            else
                printf("  %*s", (int)widths[c], table->cells[r][c]);
        putchar('\n');
    }
    free(table->cells);
    *table = (struct table){ 0 };
}

/* ---- words ---- */

static void print_causes(const uint64_t causes[CAUSES], const char *before) {
    static const struct { enum page_cause cause; const char *words; } order[] = {
        { CAUSE_RELOCATION, "relocation only" }, { CAUSE_RELOCATION_AND_WRITE, "relocation and write" },
        { CAUSE_WRITE, "write only" }, { CAUSE_IDENTICAL, "identical to the file" }, { CAUSE_UNKNOWN, "unknown cause" } };
    char text[NUMBER_LEN];
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (causes[order[i].cause]) {
            printf("%s%s %s", before, order[i].words, grouped(causes[order[i].cause], text));
            before = ", ";
        }
}

/* "PyType_Type.tp_name", ".data+0x40" */
static void piece_name(char *text, size_t room, const struct debuginfo_answer *answer, bool with_path) {
    bool outside = answer->how == DEBUGINFO_SECTION && !*answer->name;
    if (outside)
        snprintf(text, room, "0x%" PRIx64, answer->vaddr);
    else
        snprintf(text, room, "%s%s", answer->name, with_path ? answer->path : "");
}

static const char *value_words(enum why_value value, uint32_t processes) {
    if (processes < 2)
        return "";
    return value == VALUE_SAME ? "same value" : value == VALUE_SAME_PLACE ? "same place" : "different";
}

static void declared_at(char *text, size_t room, const struct debuginfo_answer *answer) {
    if (*answer->file)
        snprintf(text, room, "%s:%" PRIu32, answer->file, answer->line);
    else
        *text = '\0';
}

static void print_spot(const struct story *story, struct spot spot, uint64_t value) {
    if (spot.object == NO_SPOT) {
        printf("0x%" PRIx64, value);
        return;
    }
    const char *path = story->collection->snapshot.objects[spot.object].path, *slash = strrchr(path, '/');
    printf("%s+0x%" PRIx64, slash ? slash + 1 : path, spot.vaddr);
}

/* ---- parts ---- */

static void print_headline(const struct story *story, const struct why_choice *choice, const char *path) {
    const struct why_memory *memory = story->memory;
    char copies[NUMBER_LEN], pages[NUMBER_LEN];
    bool bold = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    const char *slash = strrchr(path, '/');
    printf("%s%s", bold ? "\033[1m" : "", slash ? slash + 1 : path);
    if (choice->section)
        printf(", section %s,", choice->section);
    if (choice->one_page)
        printf(", page 0x%" PRIx64 ",", choice->page);
    printf(" in %" PRIu32 " process%s: %s private cop%s of %s of its pages, %.1f MiB.%s\n", memory->processes,
           memory->processes == 1 ? "" : "es", grouped(story->frames, copies), story->frames == 1 ? "y" : "ies",
           grouped(memory->page_count, pages), mib(story->frames), bold ? "\033[0m" : "");
    print_causes(story->causes, "made private by: ");
    if (story->shared_frames)
        printf("%s%s of them shared by fork", story->frames ? "; " : "", grouped(story->shared_frames, copies));
    printf("\nnames: ");
    switch (debuginfo_how(story->debuginfo)) {
    case DEBUGINFO_DWARF: printf("debug information of %s\n", debuginfo_source(story->debuginfo)); break;
    case DEBUGINFO_SYMBOL: printf("symbols of %s (no debug information: no types and lines)\n", debuginfo_source(story->debuginfo)); break;
    default: printf("sections only (no symbols)\n");
    }
}

static void print_sections(const struct story *story) {
    static const char *const titles[] = { "section", "pages", "mapped", "private", "reloc", "reloc+write", "write", "identical",
                                          "relocations", "bytes written" };
    struct table table = { .columns = sizeof titles / sizeof *titles, .left = 1 };
    new_row(&table);
    for (size_t i = 0; i < table.columns; i++)
        cell(&table, "%s", titles[i]);
    for (size_t i = 0; i < story->section_count; i++) {
        const struct why_section *section = &story->sections[i];
        if (!section->frames)
            continue;
        new_row(&table);
        cut_cell(&table, 40, section->section->name);
        const uint64_t numbers[] = { section->pages, section->mapped, section->frames, section->causes[CAUSE_RELOCATION],
                                     section->causes[CAUSE_RELOCATION_AND_WRITE], section->causes[CAUSE_WRITE],
                                     section->causes[CAUSE_IDENTICAL], section->relocations, section->written_bytes };
        for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++)
            number_cell(&table, numbers[n]);
    }
    if (table.rows > 1) {
        putchar('\n');
        print_table(&table);
        printf("A page that holds parts of two sections is counted in both.\n");
    }
    free(table.cells);
}

static void print_variables(const struct story *story, size_t top) {
    static const char *const titles[] = { "variable", "type", "declared", "values", "processes", "bytes", "copies", "alone", "relocations",
                                          "copies" };
    struct table table = { .columns = sizeof titles / sizeof *titles, .left = 4 };
    size_t count, *order = variables_order(story, &count);
    char text[NUMBER_LEN];
    size_t shown = top && count > top ? top : count;
    new_row(&table);
    for (size_t i = 0; i < table.columns; i++)
        cell(&table, "%s", titles[i]);
    for (size_t i = 0; i < shown; i++) {
        const struct why_variable *variable = &story->variables[order[i]];
        const struct debuginfo_answer *answer = variable->answer;
        char name[CELL_MAX], line[CELL_MAX];
        piece_name(name, sizeof name, answer, variable->vaddr == answer->vaddr && answer->how == DEBUGINFO_SECTION && variable->processes);
        declared_at(line, sizeof line, answer);
        new_row(&table);
        cut_cell(&table, 48, name);
        cut_cell(&table, 28, answer->type);
        cut_cell(&table, 40, line);
        cell(&table, "%s", value_words(variable->value, variable->processes));
        if (variable->processes)
            cell(&table, "%" PRIu32 " of %" PRIu32, variable->processes, story->memory->processes);
        else
            cell(&table, "%s", "");
        if (variable->processes) {
            number_cell(&table, variable->bytes);
            number_cell(&table, variable->written_copies);
            number_cell(&table, variable->alone_copies);
        } else {
            for (int n = 0; n < 3; n++)
                cell(&table, "%s", "");
        }
        if (variable->relocations) {
            number_cell(&table, variable->relocations);
            number_cell(&table, variable->relocated_copies);
        }
    }
    if (shown) {
        printf("\nVariables: written (processes, bytes, copies; alone: nothing else made the copy private), and relocated.\n");
        print_table(&table);
        if (shown < count)
            printf("... and %s more (--top 0, --json)\n", grouped(count - shown, text));
    }
    free(table.cells);
    free(order);
}

static void print_pieces(const struct story *story, size_t page, size_t max) {
    size_t count = 0, shown = 0, first = 0;
    while (first < story->piece_count && story->pieces[first].page < page)
        first++;
    while (first + count < story->piece_count && story->pieces[first + count].page == page)
        count++;
    shown = max && count > max ? max : count;
    for (size_t i = first; i < first + shown; i++) {
        const struct why_piece *piece = &story->pieces[i];
        char name[1200], line[CELL_MAX];
        piece_name(name, sizeof name, piece->answer, true);
        declared_at(line, sizeof line, piece->answer);
        printf("  written: %s", name);
        if (*piece->answer->piece_type || *piece->answer->type)
            printf(" (%s)", *piece->answer->path && *piece->answer->piece_type ? piece->answer->piece_type : piece->answer->type);
        if (*line)
            printf(", %s", line);
        printf(", in %" PRIu32 " of %" PRIu32, piece->processes, story->memory->processes);
        if (piece->processes > 1)
            printf(", %s", piece->value == VALUE_SAME ? "same value" : piece->value == VALUE_SAME_PLACE ? "same place" : "different values");
        if (piece->has_value) {
            printf(": ");
            print_spot(story, piece->linked_spot, piece->linked);
            printf(" -> ");
            print_spot(story, piece->now_spot, piece->now);
        }
        putchar('\n');
    }
    if (shown < count)
        printf("  ... and %zu more\n", count - shown);
}

static void print_relocation(const struct story *story, const struct why_relocation *relocation) {
    const struct place *place = relocation->place;
    const char *type = place->kind == PLACE_DYNAMIC ? "value of .dynamic" : place->kind == PLACE_LAZY ? "word for lazy binding"
                                                                                                     : place_type_name(place->type);
    printf("  0x%" PRIx64 ": %s", place->vaddr, type ? type : "?");
    if (*place->symbol)
        printf(" %s%s%s", place->symbol, *place->version ? "@" : "", place->version);
    if (place->relative)
        printf(" 0x%" PRIx64, place->addend);
    else if (place->kind == PLACE_RELOCATION && place->addend && place->type != 7)
        printf(" + 0x%" PRIx64, place->addend);
    if (relocation->bound && !relocation->spots_vary) {
        printf(" -> ");
        print_spot(story, relocation->spot, 0);
        if (relocation->target && *relocation->target)
            printf(" (%s%s)", relocation->target, relocation->target_path);
    } else if (relocation->bound) {
        printf(" -> not the same in all processes");
    }
    if (relocation->answer && place->kind == PLACE_RELOCATION) {
        char name[1200], line[CELL_MAX];
        piece_name(name, sizeof name, relocation->answer, true);
        declared_at(line, sizeof line, relocation->answer);
        printf(", %s%s%s", name, *line ? ", " : "", line);
    }
    putchar('\n');
}

/* "34 relocations: 30 R_X86_64_RELATIVE, 4 R_X86_64_GLOB_DAT" or all of them one by one. */
static void print_relocations(const struct story *story, size_t page, bool all) {
    enum { TYPES = 64 };
    uint64_t by_type[TYPES] = { 0 }, count = 0, others = 0;
    for (size_t i = 0; i < story->relocation_count; i++) {
        const struct why_relocation *relocation = &story->relocations[i];
        if (relocation->page != page)
            continue;
        if (all)
            print_relocation(story, relocation);
        count++;
        if (relocation->place->kind != PLACE_RELOCATION)
            others++;
        else if (relocation->place->type < TYPES)
            by_type[relocation->place->type]++;
    }
    if (!count)
        return;
    printf("  %" PRIu64 " relocation%s", count - others, plural(count - others));
    const char *before = ": ";
    for (uint32_t type = 0; type < TYPES; type++)
        if (by_type[type]) {
            const char *name = place_type_name(type);
            printf("%s%" PRIu64 " %s", before, by_type[type], name ? name : "of unknown type");
            before = ", ";
        }
    if (others)
        printf("; %" PRIu64 " words of .dynamic and the GOT", others);
    putchar('\n');
}

static void print_page(const struct story *story, size_t index, bool all) {
    const struct why_page *page = &story->memory->pages[index];
    const struct debuginfo_section *section = debuginfo_section_at(story->debuginfo, page->vaddr);
    char text[NUMBER_LEN];
    if (!section)
        section = debuginfo_section_at(story->debuginfo, page->vaddr + PAGE_LEN - 1);
    printf("\npage 0x%" PRIx64 "%s%s: private in %" PRIu32 " of %" PRIu32 " processes", page->vaddr, section ? ", " : "",
           section ? section->name : "", page->processes, story->memory->processes);
    print_causes(page->causes, ": ");
    if (page_won(page))
        printf("; %s cop%s to be won", grouped(page_won(page), text), page_won(page) == 1 ? "y" : "ies");
    putchar('\n');
    print_pieces(story, index, all ? 0 : LINES_A_PAGE);
    print_relocations(story, index, all);
}

static void print_savings(const struct story *story) {
    const struct why_savings *savings = &story->savings;
    char a[NUMBER_LEN], b[NUMBER_LEN], c[NUMBER_LEN];
    enum { NAMED = 5 };
    printf("\ncould be won: ");
    if (savings->frames == 0) {
        printf("nothing by moving variables\n");
    } else {
        printf("%s copies, %.1f MiB, if %zu variable%s (%s bytes) were moved off %s page%s: ", grouped(savings->frames - savings->cost, a),
               mib(savings->frames - savings->cost), savings->variable_count, plural(savings->variable_count),
               grouped(savings->bytes, b), grouped(savings->pages, c), plural(savings->pages));
        for (size_t i = 0; i < savings->variable_count && i < NAMED; i++) {
            const struct debuginfo_answer *answer = story->variables[savings->variables[i]].answer;
            char name[CELL_MAX];
            piece_name(name, sizeof name, answer, answer->how == DEBUGINFO_SECTION);
            printf("%s%s", i ? ", " : "", name);
        }
        printf("%s\n", savings->variable_count > NAMED ? ", ..." : "");
        printf("  (%s copies less, %s for the variables' own page%s)\n", grouped(savings->frames, a), grouped(savings->cost, b),
               savings->bytes > PAGE_LEN ? "s" : "");
    }
    if (story->causes[CAUSE_IDENTICAL])
        printf("  %s copies, if nobody wrote what was there already (identical to the file)\n", grouped(story->causes[CAUSE_IDENTICAL], a));
    if (story->causes[CAUSE_RELOCATION])
        printf("  %s copies are relocated and never written: only sharing relocated pages would win these\n",
               grouped(story->causes[CAUSE_RELOCATION], a));
}

void why_text(const struct story *story, const struct why_choice *choice, const char *path) {
    size_t top = choice->top == SIZE_MAX ? TOP_DEFAULT : choice->top;
    bool all = choice->one_page;
    if (all)
        story_targets((struct story *)(uintptr_t)story);
    print_headline(story, choice, path);
    print_sections(story);
    print_variables(story, top);
    size_t *order = pages_order(story->memory), count = story->memory->page_count;
    size_t shown = top && count > top ? top : count;
    for (size_t i = 0; i < shown; i++)
        print_page(story, order[i], all);
    if (shown < count)
        printf("\n... and %zu pages more (--top 0, --json, or %s:0x%" PRIx64 " for one)\n", count - shown, choice->object,
               story->memory->pages[order[shown]].vaddr);
    free(order);
    print_savings(story);
}
