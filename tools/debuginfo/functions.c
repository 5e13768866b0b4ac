/* functions.c - which function and line do these instructions belong to?
 *
 * .debug_aranges leads from addresses to units where the compiler wrote it (gcc does); a unit's own range does for the others. Of
 * the unit's functions those of one range are matched; the cold half that a compiler moved away keeps its symbol's name. */
#include "../ldr.h"
#include "parts.h"

#include <stdlib.h>
#include <string.h>

enum { NEST_MAX = 64 };

/* What is found for the questions of one unit, in the order of their addresses. */
struct found {
    size_t index; /* of the question */
    char *file;   /* malloc'd, NULL: not found */
    char *name;
    uint32_t line;
    uint64_t low, len; /* of the function */
};

struct lookup {
    struct session *session;
    struct asked *asked;
    struct found *found; /* ascending by address */
    uint64_t *vaddrs;
    size_t count;
};

static void keep_line(void *to, size_t index, const char *file, uint32_t line) {
    struct lookup *lookup = to;
    struct found *found = &lookup->found[index];
    free(found->file); /* the last row of an address is the one that holds */
    found->file = must_format("%s", file);
    found->line = line;
}

static bool pc_range(struct die die, uint64_t *low, uint64_t *high) {
    Dwarf_Addr from, to;
    Dwarf_Half form;
    enum Dwarf_Form_Class class;
    Dwarf_Error error;
    if (dwarf_lowpc(die.at, &from, &error) != DW_DLV_OK || dwarf_highpc_b(die.at, &to, &form, &class, &error) != DW_DLV_OK)
        return false;
    *low = from;
    *high = class == DW_FORM_CLASS_ADDRESS ? to : from + to;
    return *high > *low;
}

static char *function_name(const struct session *session, struct die die) {
    const char *linkage = die_text_of(session, die, DW_AT_linkage_name), *name = die_text_of(session, die, DW_AT_name);
    char *whole = linkage ? demangle(linkage) : NULL;
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

static void walk_functions(struct lookup *lookup, struct die parent, int depth) {
    for (struct die die = die_child(parent); die.at; die = die_next(die)) {
        Dwarf_Half tag = die_tag(die);
        uint64_t low, high;
        if (tag == DW_TAG_subprogram && pc_range(die, &low, &high)) {
            for (size_t i = first_from(lookup, low); i < lookup->count && lookup->vaddrs[i] < high; i++) {
                free(lookup->found[i].name);
                lookup->found[i].name = function_name(lookup->session, die);
                lookup->found[i].low = low;
                lookup->found[i].len = high - low;
            }
        }
        if ((tag == DW_TAG_namespace || tag == DW_TAG_module) && depth < NEST_MAX)
            walk_functions(lookup, die, depth + 1);
    }
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
    unit_lines(unit, lookup.vaddrs, count, keep_line, &lookup);
    walk_functions(&lookup, unit, 0);
    for (size_t i = 0; i < count; i++) {
        struct found *found = &lookup.found[i];
        if (found->name && !asked->answered[found->index]) {
            outbox_put(asked->outbox, &(struct debuginfo_answer){
                .question = found->index, .how = DEBUGINFO_DWARF, .vaddr = lookup.vaddrs[i], .len = 1, .whole_vaddr = found->low,
                .whole_len = found->len, .name = found->name, .type = "", .path = "", .piece_type = "",
                .file = found->file ? found->file : "", .line = found->line });
            asked->answered[found->index] = UINT64_MAX;
        }
        free(found->name);
        free(found->file);
    }
    free(lookup.vaddrs);
    free(lookup.found);
}

/* Questions that no .debug_aranges entry names: by the unit's own range, one of DW_AT_ranges as the list has it. */
static bool unit_holds(struct die unit, uint64_t vaddr) {
    uint64_t low, high;
    if (pc_range(unit, &low, &high))
        return vaddr >= low && vaddr < high;
    return die_has(unit, DW_AT_ranges); /* its line table decides */
}

void functions_answer(struct session *session, struct asked *asked) {
    Dwarf_Arange *ranges;
    Dwarf_Signed range_count = 0;
    Dwarf_Error error;
    if (dwarf_get_aranges(session->dbg, &ranges, &range_count, &error) != DW_DLV_OK)
        range_count = 0;
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
        for (size_t i = 0; i < asked->count; i++) {
            uint64_t vaddr = asked->questions[asked->order[i]].vaddr;
            if (!asked->answered[asked->order[i]] && (unit_of[i] ? unit_of[i] == offset : unit_holds(unit, vaddr)))
                members[count++] = asked->order[i];
        }
        if (count)
            answer_unit(session, asked, unit, members, count);
        die_drop(&unit);
    }
    free(unit_of);
    free(members);
}
