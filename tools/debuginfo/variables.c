/* variables.c - one walk over .debug_info for all questions about variables.
 *
 * Nothing in DWARF leads from an address to its variable (.debug_aranges has code only), so every unit is walked: but only down
 * into what can hold a variable with a fixed address (namespaces, functions, blocks), never into types, and what a variable is
 * called and made of is read only when a question falls into it. */
#include "../ldr.h"
#include "parts.h"

#include <stdlib.h>
#include <string.h>

enum { NEST_MAX = 64 };

/* Where a DIE stands, innermost first. */
struct scope {
    const struct scope *up;
    struct die die;
};

struct walk {
    struct session *session;
    struct asked *asked;
    struct die unit;
    struct unit_files *files; /* of the unit; NULL: not read yet */
};

static struct die completed_by(const struct session *session, struct die die) {
    struct die other = die_follow(session, die, DW_AT_specification);
    return other.at ? other : die_follow(session, die, DW_AT_abstract_origin);
}

static void scope_words(const struct session *session, const struct scope *scope, struct words *words) {
    if (!scope)
        return;
    Dwarf_Half tag = die_tag(scope->die);
    if (tag != DW_TAG_subprogram && tag != DW_TAG_namespace) {
        scope_words(session, scope->up, words);
        return;
    }
    const char *linkage = tag == DW_TAG_subprogram ? die_text_of(session, scope->die, DW_AT_linkage_name) : NULL;
    const char *name = die_text_of(session, scope->die, DW_AT_name);
    char *whole = linkage ? demangle(linkage) : NULL;
    if (tag == DW_TAG_namespace)
        scope_words(session, scope->up, words);
    words_add(words, whole ? whole : name ? name : tag == DW_TAG_namespace ? "(anonymous namespace)" : "?");
    words_add(words, "::");
    free(whole);
}

static bool ends_with(const char *text, const char *end) {
    size_t len = strlen(text), end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* A definition that stands apart from its declaration does not tell the namespace around that, and a variable of internal linkage or
 * inside a function may have no linkage name: in C++ its symbol has, if it is the symbol of this name. */
static void name_words(const struct session *session, struct die die, const struct scope *scope, const struct symbol *symbol,
                       struct words *words) {
    const char *linkage = die_text_of(session, die, DW_AT_linkage_name), *name = die_text_of(session, die, DW_AT_name);
    char *whole = linkage ? demangle(linkage) : NULL;
    if (!whole && session->cplusplus && symbol && name) {
        whole = demangle(symbol->name);
        if (whole && !ends_with(whole, name)) {
            free(whole);
            whole = NULL;
        }
    }
    if (whole) {
        words_add(words, whole);
    } else {
        scope_words(session, scope, words);
        words_add(words, name ? name : linkage ? linkage : "?");
    }
    free(whole);
}

/* File and line of the declaration; they stand at the definition, or where it was declared. */
static uint32_t line_of(struct walk *walk, struct die die, struct words *file) {
    uint64_t index = 0, line = 0;
    if (!walk->files)
        walk->files = unit_files_read(walk->unit);
    if (!die_has(die, DW_AT_decl_line)) {
        struct die other = completed_by(walk->session, die);
        die_number(other, DW_AT_decl_line, &line);
        die_number(other, DW_AT_decl_file, &index);
        die_drop(&other);
    } else {
        die_number(die, DW_AT_decl_line, &line);
        if (!die_number(die, DW_AT_decl_file, &index)) {
            struct die other = completed_by(walk->session, die);
            die_number(other, DW_AT_decl_file, &index);
            die_drop(&other);
        }
    }
    if (line)
        unit_file(walk->files, index, file);
    return line > UINT32_MAX ? 0 : (uint32_t)line;
}

static void answer_variable(struct walk *walk, struct die die, const struct scope *scope, const struct symbol *symbol,
                            const struct type *type, uint64_t vaddr, uint64_t len) {
    struct asked *asked = walk->asked;
    struct words name = { .len = 0 }, type_text = { .len = 0 }, file = { .len = 0 };
    uint32_t line = 0;
    bool described = false;
    for (size_t i = asked_from(asked, vaddr); i < asked->count; i++) {
        size_t index = asked->order[i];
        const struct debuginfo_question *question = &asked->questions[index];
        if (question->vaddr >= vaddr && question->vaddr - vaddr >= len)
            break;
        uint32_t question_bytes = question_len(question);
        for (uint64_t byte = question->vaddr < vaddr ? vaddr - question->vaddr : 0; byte < question_bytes; byte++) {
            uint64_t at = question->vaddr + byte - vaddr;
            if (at >= len)
                break;
            if (asked->answered[index] >> byte & 1)
                continue;
            struct piece piece;
            type_piece(walk->session, type, at, &piece);
            if (piece.len == 0 || piece.at > at || at - piece.at >= piece.len || piece.len > len)
                piece.at = at, piece.len = 1; /* a type that contradicts itself: this byte, so that the walk goes on */
            if (!described) {
                name_words(walk->session, die, scope, symbol, &name);
                type_words(walk->session, type, &type_text);
                line = line_of(walk, die, &file);
                described = true;
            }
            outbox_put(asked->outbox, &(struct debuginfo_answer){
                .question = index, .how = DEBUGINFO_DWARF, .vaddr = vaddr + piece.at, .len = piece.len, .whole_vaddr = vaddr,
                .whole_len = len, .name = name.text, .type = type_text.text, .path = piece.path.text,
                .piece_type = piece.type.text, .file = file.text, .line = line });
            uint64_t left = piece.at + piece.len - at;
            for (uint64_t b = byte; b < question_bytes && b - byte < left; b++)
                asked->answered[index] |= UINT64_C(1) << b;
        }
    }
}

static void look_at_variable(struct walk *walk, struct die die, const struct scope *scope) {
    struct asked *asked = walk->asked;
    uint64_t vaddr, end;
    if (!die_address(die, &vaddr))
        return;
    size_t first = asked_from(asked, vaddr);
    if (first == asked->count)
        return;
    const struct type *type = type_of(walk->session, die);
    if (!type) { /* C++ has it at the declaration */
        struct die completed = completed_by(walk->session, die);
        type = type_of(walk->session, completed);
        die_drop(&completed);
    }
    uint64_t len = type_len(walk->session, type);
    const struct symbol *symbol = walk->session->symbols ? symtab_at(walk->session->symbols, vaddr, NULL) : NULL;
    if (symbol && symbol->vaddr != vaddr)
        symbol = NULL;
    if (len && symbol && symbol->len > len)
        len = symbol->len; /* a flexible array at its end has room that the type does not tell */
    if (len && !__builtin_add_overflow(vaddr, len, &end) && asked->questions[asked->order[first]].vaddr < end)
        answer_variable(walk, die, scope, symbol, type, vaddr, len);
}

static void walk_children(struct walk *walk, struct die parent, const struct scope *up, int depth) {
    struct scope scope = { up, parent };
    for (struct die die = die_child(parent); die.at; die = die_next(die)) {
        switch (die_tag(die)) {
        case DW_TAG_variable:
            look_at_variable(walk, die, &scope);
            break;
        case DW_TAG_namespace: case DW_TAG_module: case DW_TAG_subprogram: case DW_TAG_lexical_block: case DW_TAG_inlined_subroutine:
        case DW_TAG_try_block: case DW_TAG_catch_block:
            if (depth < NEST_MAX)
                walk_children(walk, die, &scope, depth + 1);
            break;
        default: break;
        }
    }
}

void variables_answer(struct session *session, struct asked *asked) {
    for (struct die unit = session_next_unit(session); unit.at; unit = session_next_unit(session)) {
        struct walk walk = { .session = session, .asked = asked, .unit = unit };
        session->split |= unit_is_split(unit);
        walk_children(&walk, unit, NULL, 0);
        unit_files_free(walk.files);
        die_drop(&unit);
    }
}
