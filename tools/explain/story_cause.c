/* story_cause.c - one sentence for the result of a reference: what the linker's rules made of the answers that story.c collected. */
#include "../ldr.h"
#include "story.h"

#include <stdlib.h>
#include <string.h>

static const char *path_of(const struct object *object) { return node_path(object_node(object)); }

/* The first entry that would have been met before the winner (or at all, without one) and was refused for more than being undefined. */
static const struct definition *refused_before(const struct story_reference *reference, const struct object **where) {
    for (u32 i = 0; i < reference->asked_count && i < reference->winner; i++)
        for (u32 e = 0; e < reference->asked[i].entry_count; e++) {
            const struct definition *entry = &reference->asked[i].entries[e];
            if (entry->verdict < 0 && entry->verdict != SYMBOL_REFUSED_UNDEFINED) {
                *where = reference->asked[i].object;
                return entry;
            }
        }
    return NULL;
}

static const struct object *answers_after(const struct story_reference *reference, u32 *count) {
    const struct object *first = NULL;
    *count = 0;
    for (u32 i = reference->winner + 1; i < reference->asked_count; i++)
        if (reference->asked[i].answers && reference->asked[i].object != reference->by_scope) {
            first = first ? first : reference->asked[i].object;
            ++*count;
        }
    return first;
}

static const struct object *missing_library(const struct session *session) {
    for (const struct object *object = session->first; object; object = object->next)
        if (object->is_missing && object_node(object)->found_by->by)
            return object;
    return NULL;
}

/* The library that lacks the version that the reference names; NULL: none. */
static const struct object *lacking(const struct session *session, const struct story_reference *reference) {
    u32 count;
    struct refusal *gone = versions_gone(session, reference->by, &count);
    const struct object *where = NULL;
    for (u32 i = 0; i < count && !where; i++)
        where = strcmp(gone[i].version, reference->version->name) == 0 ? gone[i].what : NULL;
    free(gone);
    return where;
}

struct lost_reason why_story_lost(const struct story *story, const struct story_reference *reference) {
    struct lost_reason lost = { .kind = LOST_NOWHERE };
    if (reference->version && (lost.where = lacking(story->session, reference))) {
        lost.kind = LOST_VERSION;
        return lost;
    }
    if ((lost.refused = refused_before(reference, &lost.where))) {
        lost.kind = LOST_REFUSED;
        return lost;
    }
    lost.kind = LOST_SEVERAL;
    for (u32 i = 0; i < reference->asked_count; i++)
        for (u32 e = 0; e < reference->asked[i].entry_count; e++)
            if (reference->asked[i].entries[e].verdict == SYMBOL_ANSWERS_ALONE && !reference->asked[i].answers) {
                lost.where = reference->asked[i].object;
                return lost;
            }
    lost.kind = LOST_LIBRARY;
    if ((lost.where = missing_library(story->session)))
        return lost;
    lost.kind = LOST_LOCAL;
    for (u32 i = 0; i < reference->asked_count; i++)
        if (names_full(object_node(reference->asked[i].object), story->name, &lost.full)) {
            lost.where = reference->asked[i].object;
            return lost;
        }
    lost.kind = LOST_NOWHERE;
    return lost;
}

static char *cause_of_lost(const struct story *story, const struct story_reference *reference) {
    struct lost_reason lost = why_story_lost(story, reference);
    const char *where = lost.where ? path_of(lost.where) : "";
    u32 searched = 0;
    for (u32 i = 0; i < reference->asked_count; i++)
        searched += !reference->asked[i].object->is_missing;
    switch (lost.kind) {
    case LOST_VERSION: return must_format("version %s, needed by %s, is not in %s", reference->version->name, path_of(reference->by), where);
    case LOST_REFUSED:
        return must_format("%s has it%s%s, but that does not answer: %s", where, lost.refused->version ? " as version " : "",
                           lost.refused->version ? lost.refused->version->name : "", verdict_text(lost.refused->verdict));
    case LOST_SEVERAL: return must_format("%s has several versions of it, and the reference names none", where);
    case LOST_LIBRARY:
        return must_format(searched == 1 ? "the %u object found does not define it, and %s, needed by %s, %s"
                                         : "none of the %u objects found defines it, and %s, needed by %s, %s", searched, where,
                           path_of(&object_node(lost.where)->found_by->by->object), missing_how(lost.where));
    case LOST_LOCAL: return must_format("%s has it, but %s: not in its dynamic symbol table", where, lost.full.how);
    case LOST_NOWHERE: break;
    }
    if (searched == 1)
        return must_format("%s, the only object searched, does not define it", path_of(reference->asked[0].object));
    return must_format("none of the %u objects searched defines it", searched);
}

/* The program holds what a library defines: sizes are told where they differ, for the smaller is copied (run/relocate.c). */
static char *cause_of_copy(const struct story *story, u32 symbol, bool is_the_copying) {
    struct session *session = story->session;
    struct object *program = &session->program->object;
    struct symbol_want want;
    struct binding from;
    char *sizes = NULL;
    if (session_bind(session, program, symbol, arch_reloc_kind(R_X86_64_COPY), &want, &from) != 0)
        return must_format("the program has room for a copy of it (R_X86_64_COPY), but nobody defines what is to be copied");
    u64 mine = program->image.symtab[symbol].st_size, theirs = from.symbol->st_size;
    if (mine != theirs)
        sizes = must_format("; the copy has %llu bytes, the library's %llu%s", (unsigned long long)mine, (unsigned long long)theirs,
                            theirs > mine ? ": the library writes past its end" : "");
    char *text = is_the_copying ? must_format("the program has a copy of it (R_X86_64_COPY), taken from there at start, and everybody else uses the copy%s", sizes ? sizes : "")
                                : must_format("the program has a copy of it (R_X86_64_COPY), taken from %s at start, and everybody uses the copy%s", path_of(from.object), sizes ? sizes : "");
    free(sizes);
    return text;
}

bool why_story_static(const struct story *story) {
    return story->hypothetical && !story->link_time.object && story->references->result != 0 && session_is_static(story->session);
}

char *why_story_cause(const struct story *story, const struct story_reference *reference) {
    u32 later;
    if (reference->result != 0) {
        if (reference->result < 0)
            return must_format("the reference itself is damaged");
        if (why_story_static(story))
            return must_format("%s is statically linked: nothing is bound at run time, and none of its symbol tables names it", node_path(story->session->program));
        return cause_of_lost(story, reference);
    }
    const struct object *winner = reference->found.object;
    if (reference->local)
        return must_format("the symbol is local or hidden in %s: it binds there without a search", path_of(reference->by));
    if (reference->by_scope != winner)
        return must_format("it is a unique symbol (STB_GNU_UNIQUE): one definition serves the whole process, and %s was relocated first", path_of(winner));
    if (reference->winner == reference->asked_count)
        return must_format("it is protected in %s: its own references bind to itself", path_of(reference->by));
    if (reference->copy)
        return cause_of_copy(story, reference->copy, false);
    const struct object *loser = answers_after(reference, &later), *where = NULL;
    const struct definition *refused = refused_before(reference, &where);
    if (refused && where != winner)
        return must_format("%s comes first and has it%s%s, but that does not answer: %s", path_of(where), refused->version ? " as version " : "",
                           refused->version ? refused->version->name : "", verdict_text(refused->verdict));
    if (reference->asked[reference->winner].scope == 0 && reference->by->scope_count > 1)
        return must_format("%s has DT_SYMBOLIC: it looks into itself first%s%s%s", path_of(reference->by), later ? ", so " : "", later ? path_of(loser) : "",
                           later ? " does not count" : "");
    if (reference->classes & CLASS_COPY)
        return cause_of_copy(story, reference->symbol, true);
    if (winner->is_program && reference->found.symbol->st_shndx == SHN_UNDEF)
        return must_format("the program took the function's address without a GOT: its PLT entry is the address for everybody");
    if (!later)
        return must_format("the only definition in the search order (%u object%s)", reference->asked_count, reference->asked_count == 1 ? "" : "s");
    bool own = false;
    for (u32 i = reference->winner + 1; i < reference->asked_count; i++)
        own |= reference->asked[i].answers && reference->asked[i].object == reference->by;
    if (winner->found_by == FOUND_PRELOAD)
        return must_format("it is preloaded, so it stands before %s, which defines it too", path_of(own ? reference->by : loser));
    if (own)
        return must_format("interposed: %s defines it too, but %s stands before it in the search order", path_of(reference->by), winner->is_program ? "the program" : path_of(winner));
    return must_format("first of %u definitions in the search order; the next is in %s", later + 1, path_of(loser));
}
