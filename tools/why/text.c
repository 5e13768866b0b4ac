/* text.c - the story for people: a headline, sections, the variables that cost most, the pages that could be won, and the sum. */
#include "../ldr.h"
#include "../views/table.h"
#include "why.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TOP_VARIABLES = 15, TOP_PAGES = 5, LINES_A_PAGE = 6, PIECES_A_LINE = 3, SECTIONS_NAMED = 6, CELL_MAX = 160, NUMBER_LEN = GROUPED_LEN };

static const char *plural(uint64_t count) { return count == 1 ? "" : "s"; }
static const char *copies_word(uint64_t count) { return count == 1 ? "copy" : "copies"; }
static double mib(uint64_t pages) { return (double)pages * (double)PAGE_LEN / (1024.0 * 1024.0); }

/* ---- cells ---- */

static void __attribute__((format(printf, 2, 3))) cell(struct table *table, const char *format, ...) {
    char text[CELL_MAX];
    va_list args;
    va_start(args, format);
    if (vsnprintf(text, sizeof text, format, args) >= (int)sizeof text)
        strcpy(text + sizeof text - 4, "...");
    va_end(args);
    table_cell(table, text);
}

/* Text cut to a width, its end marked. */
static void cut_cell(struct table *table, size_t width, const char *text) {
    if (strlen(text) <= width)
        table_cell(table, text);
    else
        cell(table, "%.*s...", (int)width - 3, text);
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
    char *name = clean_text(slash ? slash + 1 : path);
    printf("%s+0x%" PRIx64, name, spot.vaddr);
    free(name);
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
    printf(" in %" PRIu32 " process%s: %s private %s of %s of its pages, %.1f MiB.%s\n", memory->processes,
           memory->processes == 1 ? "" : "es", grouped(story->frames, copies), copies_word(story->frames),
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
    for (size_t i = 0; i < table.columns; i++)
        cell(&table, "%s", titles[i]);
    for (size_t i = 0; i < story->section_count; i++) {
        const struct why_section *section = &story->sections[i];
        if (!section->frames)
            continue;
        cut_cell(&table, 40, section->section->name);
        const uint64_t numbers[] = { section->pages, section->mapped, section->frames, section->causes[CAUSE_RELOCATION],
                                     section->causes[CAUSE_RELOCATION_AND_WRITE], section->causes[CAUSE_WRITE],
                                     section->causes[CAUSE_IDENTICAL], section->relocations, section->written_bytes };
        for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++)
            table_number(&table, numbers[n]);
    }
    if (table.count > table.columns) {
        putchar('\n');
        table_print(stdout, &table);
        printf("A page that holds parts of two sections is counted in both.\n");
    } else {
        table_free(&table);
    }
}

static void print_variables(const struct story *story, size_t top) {
    static const char *const titles[] = { "variable", "type", "declared", "values", "processes", "bytes", "written", "alone", "relocations",
                                          "relocated" };
    struct table table = { .columns = sizeof titles / sizeof *titles, .left = 4 };
    size_t count, *order = variables_order(story, &count);
    char text[NUMBER_LEN];
    size_t shown = top && count > top ? top : count;
    for (size_t i = 0; i < table.columns; i++)
        cell(&table, "%s", titles[i]);
    for (size_t i = 0; i < shown; i++) {
        const struct why_variable *variable = &story->variables[order[i]];
        const struct debuginfo_answer *answer = variable->answer;
        char name[CELL_MAX], line[CELL_MAX];
        piece_name(name, sizeof name, answer, variable->vaddr == answer->vaddr && answer->how == DEBUGINFO_SECTION && variable->processes);
        declared_at(line, sizeof line, answer);
        cut_cell(&table, 48, name);
        cut_cell(&table, 28, answer->type);
        cut_cell(&table, 40, line);
        cell(&table, "%s", value_words(variable->value, variable->processes));
        if (variable->processes)
            cell(&table, "%" PRIu32 " of %" PRIu32, variable->processes, story->memory->processes);
        else
            cell(&table, "%s", "");
        if (variable->processes) {
            table_number(&table, variable->bytes);
            table_number(&table, variable->written_copies);
            table_number(&table, variable->alone_copies);
        } else {
            for (int n = 0; n < 3; n++)
                cell(&table, "%s", "");
        }
        if (variable->relocations) {
            table_number(&table, variable->relocations);
            table_number(&table, variable->relocated_copies);
        } else {
            cell(&table, "%s", "");
            cell(&table, "%s", "");
        }
    }
    if (shown) {
        printf("\nVariables: in how many processes written, how many of their bytes, copies in which they were written (alone: and nothing else\n"
               "was), relocations in them, and copies in which these took effect.\n");
        table_print(stdout, &table);
        if (shown < count)
            printf("... and %s more (--top 0, --json)\n", grouped(count - shown, text));
    } else {
        table_free(&table);
    }
    free(order);
}

static size_t first_piece(const struct story *story, size_t page) {
    size_t low = 0, high = story->piece_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (story->pieces[middle].page < page)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const char *values_of(enum why_value value) {
    return value == VALUE_SAME ? "same value" : value == VALUE_SAME_PLACE ? "same place" : "different values";
}

/* The sections that the page holds parts of, in order; returns how many. FIRST: room for so many of them. */
static size_t sections_on(const struct story *story, uint64_t page, const struct debuginfo_section *first[SECTIONS_NAMED]) {
    size_t count, found = 0;
    const struct debuginfo_section *sections = debuginfo_sections(story->debuginfo, &count);
    for (size_t i = 0; i < count; i++)
        /* no addition: the file says both */
        if (sections[i].len && (sections[i].vaddr < page ? sections[i].len > page - sections[i].vaddr : sections[i].vaddr - page < PAGE_LEN)) {
            if (found < SECTIONS_NAMED)
                first[found] = &sections[i];
            found++;
        }
    return found;
}

/* ", .data", ", .got, .got.plt and .data", or the first of them and how many more */
static void print_sections_of(const struct story *story, uint64_t page) {
    const struct debuginfo_section *first[SECTIONS_NAMED];
    size_t count = sections_on(story, page, first), named = count < SECTIONS_NAMED ? count : SECTIONS_NAMED;
    for (size_t i = 0; i < named; i++)
        printf("%s%s", i == 0 || i + 1 < count ? ", " : " and ", first[i]->name);
    if (count > named)
        printf(" and %zu more", count - named);
}

/* " in .data": where a name lies, on a page that holds parts of several sections, unless the name is the section's. */
static void print_section_of(const struct story *story, uint64_t page, const struct debuginfo_answer *answer, uint64_t vaddr) {
    const struct debuginfo_section *first[SECTIONS_NAMED], *section = debuginfo_section_at(story->debuginfo, vaddr);
    if (section && answer->how != DEBUGINFO_SECTION && sections_on(story, page, first) > 1)
        printf(" in %s", section->name);
}

/* Every piece of a page on a line of its own, with its value as the linker left it and as it is. */
static void print_pieces(const struct story *story, size_t page) {
    for (size_t i = first_piece(story, page); i < story->piece_count && story->pieces[i].page == page; i++) {
        const struct why_piece *piece = &story->pieces[i];
        const struct debuginfo_answer *answer = piece->answer;
        char name[1200], line[CELL_MAX];
        piece_name(name, sizeof name, answer, true);
        declared_at(line, sizeof line, answer);
        printf("  written in %" PRIu32 ": %s", piece->processes, name);
        if (*answer->piece_type || *answer->type)
            printf(" (%s)", *answer->path ? answer->piece_type : answer->type);
        print_section_of(story, story->memory->pages[page].vaddr, answer, answer->vaddr);
        printf("%s%s", *line ? ", " : "", line);
        if (piece->processes > 1)
            printf(", %s", values_of(piece->value));
        if (piece->has_value) {
            printf(": ");
            print_spot(story, piece->linked_spot, piece->linked);
            printf(" -> ");
            print_spot(story, piece->now_spot, piece->now);
        }
        putchar('\n');
    }
}

/* One variable of a page on a line: PIECES of it from FIRST on. */
static void print_variable_here(const struct story *story, size_t first, size_t count) {
    const struct why_piece *piece = &story->pieces[first];
    const struct debuginfo_answer *answer = piece->answer;
    char name[CELL_MAX], line[CELL_MAX];
    uint32_t processes = 0;
    enum why_value value = VALUE_SAME;
    for (size_t i = first; i < first + count; i++) {
        processes = story->pieces[i].processes > processes ? story->pieces[i].processes : processes;
        value = story->pieces[i].value > value ? story->pieces[i].value : value;
    }
    piece_name(name, sizeof name, answer, answer->how == DEBUGINFO_SECTION || count == 1);
    declared_at(line, sizeof line, answer);
    printf("  written in %" PRIu32 ": %s", processes, name);
    if (*answer->type)
        printf(" (%s)", count == 1 && *answer->path ? answer->piece_type : answer->type);
    print_section_of(story, story->memory->pages[piece->page].vaddr, answer, answer->vaddr);
    printf("%s%s", *line ? ", " : "", line);
    if (processes > 1)
        printf(", %s", values_of(value));
    if (count > 1 && answer->how != DEBUGINFO_SECTION)
        for (size_t i = first; i < first + count && i < first + PIECES_A_LINE; i++)
            printf("%s%s", i == first ? ": " : ", ", *story->pieces[i].answer->path ? story->pieces[i].answer->path : "(start)");
    if (count > PIECES_A_LINE)
        printf(" and %zu more", count - PIECES_A_LINE);
    putchar('\n');
}

static void print_written(const struct story *story, size_t page) {
    size_t lines = 0, left = 0;
    for (size_t i = first_piece(story, page), end; i < story->piece_count && story->pieces[i].page == page; i = end) {
        for (end = i; end < story->piece_count && story->pieces[end].page == page && story->pieces[end].variable == story->pieces[i].variable; end++)
            ;
        if (lines++ < LINES_A_PAGE)
            print_variable_here(story, i, end - i);
        else
            left++;
    }
    if (left)
        printf("  ... and %zu more written\n", left);
}

static void print_relocation(const struct story *story, const struct why_relocation *relocation) {
    const struct place *place = relocation->place;
    const char *type = place->kind == PLACE_DYNAMIC ? "value of .dynamic" : place->kind == PLACE_LAZY ? "word for lazy binding"
                                                                                                     : place_type_name(place->type);
    printf("  0x%" PRIx64 ": %s", place->vaddr, type ? type : "?");
    if (*place->symbol) {
        char *name = must_format(" %s%s%s", place->symbol, *place->version ? "@" : "", place->version);
        make_printable(name);
        fputs(name, stdout);
        free(name);
    }
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
        printf("; %" PRIu64 " word%s of .dynamic and the GOT", others, plural(others));
    putchar('\n');
}

/* "made private by hot_write+0x.., hot.c:7 (libhot.so)" */
static void print_writers(const struct story *story, size_t page) {
    for (size_t i = 0; i < story->writer_count; i++) {
        const struct why_writer *writer = &story->writers[i];
        if (writer->page != page)
            continue;
        printf("  made private by ");
        if (writer->kind == '-') {
            printf("the linker, in advance (no fault)");
        } else if (writer->kind == '?') {
            printf("the linker, in advance, or the kernel, in a system call (not recorded)");
        } else if (writer->kind == 'k' || writer->kind == 'K') {
            printf("the kernel, in a system call");
        } else if (writer->spot.object == NO_SPOT) {
            printf("code of no file");
        } else {
            char line[CELL_MAX] = "";
            if (writer->answer)
                declared_at(line, sizeof line, writer->answer);
            if (writer->answer && *writer->answer->name)
                printf("%s%s%s, ", writer->answer->name, *line ? ", " : "", line);
            print_spot(story, writer->spot, 0);
        }
        printf("%s in %" PRIu64 "\n", writer->kind == 'f' || writer->kind == 'K' ? " (its last fault)" : "", writer->copies);
    }
}

static void print_page(const struct story *story, size_t index, bool all) {
    const struct why_page *page = &story->memory->pages[index];
    char text[NUMBER_LEN];
    printf("\npage 0x%" PRIx64, page->vaddr);
    print_sections_of(story, page->vaddr);
    printf(": private in %" PRIu32 " of %" PRIu32 " process%s", page->processes, story->memory->processes, story->memory->processes == 1 ? "" : "es");
    print_causes(page->causes, ": ");
    if (story->won[index])
        printf("; %s %s less without what is written here", grouped(story->won[index], text), copies_word(story->won[index]));
    if (story->shared_won[index])
        printf("; %s %s less if equal relocated pages were shared", grouped(story->shared_won[index], text), copies_word(story->shared_won[index]));
    putchar('\n');
    print_writers(story, index);
    if (all)
        print_pieces(story, index);
    else
        print_written(story, index);
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
        printf("%s %s, %.1f MiB, if %zu variable%s (%s byte%s) %s moved off %s page%s: ", grouped(savings->frames - savings->cost, a),
               copies_word(savings->frames - savings->cost), mib(savings->frames - savings->cost), savings->variable_count,
               plural(savings->variable_count), grouped(savings->bytes, b), plural(savings->bytes), savings->variable_count == 1 ? "was" : "were", grouped(savings->pages, c), plural(savings->pages));
        for (size_t i = 0; i < savings->variable_count && i < NAMED; i++) {
            const struct debuginfo_answer *answer = story->variables[savings->variables[i]].answer;
            char name[CELL_MAX];
            piece_name(name, sizeof name, answer, answer->how == DEBUGINFO_SECTION);
            printf("%s%s", i ? ", " : "", name);
        }
        printf("%s\n", savings->variable_count > NAMED ? ", ..." : "");
        printf("  (%s %s less, %s for the variables' own page%s)\n", grouped(savings->frames, a), copies_word(savings->frames),
               grouped(savings->cost, b), savings->bytes > PAGE_LEN ? "s" : "");
    }
    if (story->causes[CAUSE_IDENTICAL])
        printf("  %s %s, if nobody wrote what was there already (identical to the file)\n", grouped(story->causes[CAUSE_IDENTICAL], a),
               copies_word(story->causes[CAUSE_IDENTICAL]));
    if (story->shared_won_sum)
        printf("  %s %s, %.1f MiB, if relocated pages with equal content were shared (of %s relocated and never written)\n",
               grouped(story->shared_won_sum, a), copies_word(story->shared_won_sum), mib(story->shared_won_sum), grouped(story->causes[CAUSE_RELOCATION], b));
    else if (story->causes[CAUSE_RELOCATION])
        printf("  %s %s relocated and never written: no two processes have the same content in one\n",
               grouped(story->causes[CAUSE_RELOCATION], a), story->causes[CAUSE_RELOCATION] == 1 ? "copy is" : "copies are");
}

void story_text(const struct story *story, const struct why_choice *choice, const char *file) {
    char *path = clean_text(file);
    bool all = choice->one_page;
    if (all)
        story_targets((struct story *)(uintptr_t)story);
    print_headline(story, choice, path);
    print_sections(story);
    print_variables(story, choice->top == SIZE_MAX ? TOP_VARIABLES : choice->top);
    size_t *order = pages_order(story), count = story->memory->page_count;
    size_t top = choice->top == SIZE_MAX ? TOP_PAGES : choice->top;
    size_t shown = top && count > top ? top : count;
    for (size_t i = 0; i < shown; i++)
        print_page(story, order[i], all);
    if (shown < count)
        printf("\n... and %zu page%s more (--top 0, --json, or %s:0x%" PRIx64 " for one)\n", count - shown, plural(count - shown), choice->object,
               story->memory->pages[order[shown]].vaddr);
    free(order);
    print_savings(story);
    free(path);
}
