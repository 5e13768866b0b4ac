/* functions.c - which function and line do these instructions belong to?
 *
 * .debug_aranges leads from addresses to units where the compiler wrote it (gcc does); a unit's own ranges do for the others. The functions
 * of a unit stand side by side but for those in functions, which are looked for when something was not found. */
#include "../ldr.h"
#include "parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NEST_MAX = 64 };

/* What is found for the questions of one unit, in the order of their addresses. */
struct found {
    size_t index; /* of the question */
    char *file;   /* malloc'd, NULL: not found */
    char *name;
    uint32_t line;
    bool open;         /* the file is not certain (unit_lines) */
    uint64_t declared; /* index of the file that the function is declared in */
    uint64_t low, len; /* of the function, or of the part it begins with */
    char path[32];     /* from there, when it is a symbol's name */
};

struct lookup {
    struct session *session;
    struct asked *asked;
    struct found *found; /* ascending by address */
    uint64_t *vaddrs;
    size_t count;
    struct ranges ranges; /* of the DIE at hand */
};

static void keep_line(void *to, size_t index, const char *file, uint32_t line, bool open) {
    struct lookup *lookup = to;
    struct found *found = &lookup->found[index];
    free(found->file); /* the last row of an address is the one that holds */
    found->file = must_format("%s", file);
    found->line = line;
    found->open = open;
}

/* What is local to a function or unit has no linkage name in C++; the symbol at its first byte has the whole name. */
static char *function_name(const struct session *session, struct die die, uint64_t low) {
    const char *linkage = die_text_of(session, die, DW_AT_linkage_name), *name = die_text_of(session, die, DW_AT_name);
    const struct symbol *symbol = !linkage && session->cplusplus && session->symbols ? symtab_at(session->symbols, low, NULL) : NULL;
    char *whole = linkage ? demangle(linkage) : symbol && symbol->vaddr == low ? demangle(symbol->name) : NULL;
    return whole ? whole : must_format("%s", name ? name : linkage ? linkage : "?");
}

static size_t first_from(const struct lookup *lookup, uint64_t vaddr) {
    size_t low = 0, high = lookup->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (lookup->vaddrs[middle] < vaddr)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint64_t declared_in(const struct session *session, struct die die) {
    uint64_t index = 0;
    struct die at = die;
    for (int steps = 0; at.at && steps < 3 && !die_number(at, DW_AT_decl_file, &index); steps++) {
        struct die other = die_follow(session, at, DW_AT_abstract_origin);
        if (!other.at)
            other = die_follow(session, at, DW_AT_specification);
        if (at.at != die.at)
            die_drop(&at);
        at = other;
    }
    if (at.at != die.at)
        die_drop(&at);
    return index;
}

/* Rows of which the table has said no file: of file 1 where the function is declared in that. */
static void settle_files(struct lookup *lookup, struct die unit) {
    struct unit_files *files = NULL;
    for (size_t i = 0; i < lookup->count; i++) {
        struct found *found = &lookup->found[i];
        struct words name = { .len = 0 };
        if (!found->file || !found->open || found->declared != 1)
            continue;
        files = files ? files : unit_files_read(unit);
        unit_file(files, 1, &name);
        free(found->file);
        found->file = must_format("%s", name.text);
    }
    unit_files_free(files);
}

/* DEEP: what has a name keeps it. Else the last of several names for one place (assemblers write one for each symbol). */
static void look_at_function(struct lookup *lookup, struct die die, bool deep) {
    struct ranges *ranges = &lookup->ranges;
    if (!die_ranges(lookup->session, die, ranges))
        return;
    for (size_t r = 0; r < ranges->count; r++) {
        const struct range *range = &ranges->list[r];
        for (size_t i = first_from(lookup, range->low); i < lookup->count && lookup->vaddrs[i] < range->high; i++) {
            if (deep && lookup->found[i].name)
                continue;
            free(lookup->found[i].name);
            lookup->found[i].name = function_name(lookup->session, die, ranges->list[0].low);
            lookup->found[i].declared = declared_in(lookup->session, die);
            lookup->found[i].low = ranges->list[0].low;
            lookup->found[i].len = ranges->list[0].high - ranges->list[0].low;
        }
    }
}

/* DEEP: inside of functions and types too, where lambdas and the members of local classes are. */
static void walk_functions(struct lookup *lookup, struct die parent, bool deep, int depth) {
    for (struct die die = die_child(parent); die.at; die = die_next(die)) {
        Dwarf_Half tag = die_tag(die);
        bool inside = tag == DW_TAG_namespace || tag == DW_TAG_module;
        if (tag == DW_TAG_subprogram)
            look_at_function(lookup, die, deep);
        if (deep)
            inside |= tag == DW_TAG_subprogram || tag == DW_TAG_lexical_block || tag == DW_TAG_structure_type || tag == DW_TAG_class_type ||
                      tag == DW_TAG_union_type || tag == DW_TAG_inlined_subroutine || tag == DW_TAG_try_block || tag == DW_TAG_catch_block;
        if (inside && depth < NEST_MAX)
            walk_functions(lookup, die, deep, depth + 1);
    }
}

/* A line without a function: code that the unit's tables know and no DIE. The symbol names it then. */
static void name_by_symbol(struct lookup *lookup, size_t i) {
    struct found *found = &lookup->found[i];
    const struct session *session = lookup->session;
    const struct symbol *symbol = session->symbols ? symtab_at(session->symbols, lookup->vaddrs[i], lookup->asked->questions[found->index].prefer) : NULL;
    char *whole = symbol ? demangle(symbol->name) : NULL;
    found->name = whole ? whole : must_format("%s", symbol ? symbol->name : "");
    found->low = symbol ? symbol->vaddr : 0;
    found->len = symbol ? symbol->len : 0;
    if (symbol && symbol->vaddr != lookup->vaddrs[i])
        snprintf(found->path, sizeof found->path, "+0x%" PRIx64, lookup->vaddrs[i] - symbol->vaddr);
}

/* Questions FIRST..FIRST+COUNT of the order lie in this unit, as far as its ranges tell. */
static void answer_unit(struct session *session, struct asked *asked, struct die unit, const size_t *members, size_t count) {
    struct lookup lookup = { .session = session, .asked = asked, .count = count };
    lookup.found = must_alloc(count, sizeof *lookup.found);
    lookup.vaddrs = must_alloc(count, sizeof *lookup.vaddrs);
    for (size_t i = 0; i < count; i++) {
        lookup.found[i].index = members[i];
        lookup.vaddrs[i] = asked->questions[members[i]].vaddr;
    }
    session->split |= unit_is_split(unit);
    unit_lines(unit, lookup.vaddrs, count, keep_line, &lookup);
    bool all = true;
    walk_functions(&lookup, unit, false, 0);
    for (size_t i = 0; i < count; i++)
        all &= lookup.found[i].name || !lookup.found[i].file;
    if (!all)
        walk_functions(&lookup, unit, true, 0);
    settle_files(&lookup, unit);
    for (size_t i = 0; i < count; i++) {
        struct found *found = &lookup.found[i];
        if (!found->name && found->file && found->line)
            name_by_symbol(&lookup, i);
        if (found->name && !asked->answered[found->index]) {
            outbox_put(asked->outbox, &(struct debuginfo_answer){
                .question = found->index, .how = DEBUGINFO_DWARF, .vaddr = lookup.vaddrs[i], .len = 1, .whole_vaddr = found->low,
                .whole_len = found->len, .name = found->name, .type = "", .path = found->path, .piece_type = "",
                .file = found->file ? found->file : "", .line = found->line });
            asked->answered[found->index] = UINT64_MAX;
        }
        free(found->name);
        free(found->file);
    }
    free(lookup.vaddrs);
    free(lookup.found);
    free(lookup.ranges.list);
}

/* Questions that no .debug_aranges entry names: by the unit's own ranges. */
static bool unit_holds(const struct ranges *ranges, uint64_t vaddr) {
    for (size_t i = 0; i < ranges->count; i++)
        if (vaddr >= ranges->list[i].low && vaddr < ranges->list[i].high)
            return true;
    return false;
}

void functions_answer(struct session *session, struct asked *asked) {
    Dwarf_Arange *ranges;
    Dwarf_Signed range_count = 0;
    Dwarf_Error error;
    if (dwarf_get_aranges(session->dbg, &ranges, &range_count, &error) != DW_DLV_OK)
        range_count = 0;
    struct ranges code = { 0 };
    size_t *members = must_alloc(asked->count, sizeof *members);
    uint64_t *unit_of = must_alloc(asked->count, sizeof *unit_of); /* by position in the order: offset of the unit DIE, 0 unknown */
    for (Dwarf_Signed r = 0; r < range_count; r++) {
        Dwarf_Addr start;
        Dwarf_Unsigned len;
        Dwarf_Off unit;
        if (dwarf_get_arange_info(ranges[r], &start, &len, &unit, &error) != DW_DLV_OK)
            continue;
        for (size_t i = asked_from(asked, start); i < asked->count; i++) {
            uint64_t vaddr = asked->questions[asked->order[i]].vaddr;
            if (vaddr >= start && vaddr - start >= len)
                break;
            if (vaddr >= start)
                unit_of[i] = unit;
        }
    }
    for (struct die unit = session_next_unit(session); unit.at; unit = session_next_unit(session)) {
        uint64_t offset = die_offset(unit);
        size_t count = 0;
        bool known = die_ranges(session, unit, &code), some = !known && die_has(unit, DW_AT_ranges); /* some: its line table decides */
        for (size_t i = 0; i < asked->count; i++) {
            uint64_t vaddr = asked->questions[asked->order[i]].vaddr;
            if (!asked->answered[asked->order[i]] && (unit_of[i] ? unit_of[i] == offset : some || unit_holds(&code, vaddr)))
                members[count++] = asked->order[i];
        }
        if (count)
            answer_unit(session, asked, unit, members, count);
        die_drop(&unit);
    }
    free(code.list);
    free(unit_of);
    free(members);
}
