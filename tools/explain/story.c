/* story.c - repeats the linker's lookup object by object. The winner is session_bind's; the walk only adds what each object had to say, by
 * the same functions (image_find_symbol, image_symbol_answers). */
#include "story.h"
#include "../ldr.h"

#include <stdlib.h>
#include <string.h>

struct collecting {
    struct story *story;
    struct session *session;
    struct object *object;
    u32 offsets[NAME_OFFSETS_MAX], offset_count;
};

static bool is_name(const struct collecting *collecting, u32 symbol) {
    const struct image *image = &collecting->object->image;
    if (!symbol || symbol >= image->sym_limit)
        return false;
    for (u32 i = 0; i < collecting->offset_count; i++)
        if (image->symtab[symbol].st_name == collecting->offsets[i])
            return true;
    return false;
}

static bool collect(const struct reloc_record *record, void *arg) {
    struct collecting *collecting = arg;
    struct story *story = collecting->story;
    if (!is_name(collecting, record->symbol))
        return true;
    const struct version *version = reference_version(collecting->object, record->symbol);
    if (story->version && (!version || strcmp(version->name, story->version) != 0))
        return true;
    u32 classes = reference_classes(record->kind);
    struct story_reference *reference = story->references;
    while (reference && (reference->by != collecting->object || reference->symbol != record->symbol || reference->classes != classes))
        reference = reference->next;
    if (!reference) {
        reference = arena_zalloc(&collecting->session->arena, sizeof *reference);
        *reference = (struct story_reference){ .by = collecting->object, .symbol = record->symbol, .classes = classes, .version = version };
        if (story->last)
            story->last->next = reference;
        else
            story->references = reference;
        story->last = reference;
        story->reference_count++;
    }
    if (reference->place_count < PLACES_MAX)
        reference->places[reference->place_count] = *record;
    reference->place_count++;
    return true;
}

static void keep_entry(const struct definition *definition, void *arg) {
    struct asked *asked = arg;
    if (asked->entry_count < ENTRIES_MAX)
        asked->entries[asked->entry_count++] = *definition;
}

static void ask_all(struct session *session, struct story_reference *reference, const struct symbol_want *want) {
    u64 most = 0;
    const struct object *by = reference->by;
    for (u32 s = 0; s < by->scope_count; s++)
        most += by->scope[s]->count;
    reference->asked = arena_zalloc(&session->arena, (most + 1) * sizeof *reference->asked);
    for (u32 s = 0; s < by->scope_count; s++)
        for (u32 i = 0; i < by->scope[s]->count; i++) {
            const struct object *object = by->scope[s]->object[i];
            struct asked *asked = &reference->asked[reference->asked_count++];
            *asked = (struct asked){ .object = object, .scope = s, .passed_over = (want->classes & CLASS_COPY) && object->is_program };
            names_each(object, want->name, want, keep_entry, asked);
            asked->answers = !asked->passed_over && image_find_symbol(&object->image, want) != NULL;
        }
    reference->winner = reference->asked_count;
    for (u32 i = 0; i < reference->asked_count && reference->result == 0; i++)
        if (reference->asked[i].object == reference->by_scope && reference->asked[i].answers) {
            reference->winner = i;
            break;
        }
}

/* As session_bind for a relocation, from the number alone. */
static void bind(struct session *session, struct story_reference *reference) {
    struct reloc_kind kind = reference->places[0].kind;
    struct symbol_want want;
    const Elf64_Sym *sym = &reference->by->image.symtab[reference->symbol];
    reference->weak = ELF64_ST_BIND(sym->st_info) == STB_WEAK && sym->st_shndx == SHN_UNDEF;
    reference->result = session_bind(session, reference->by, reference->symbol, kind, &want, &reference->found);
    reference->local = !want.name;
    if (reference->local)
        return;
    struct binding by_scope = reference->found;
    session_find(session, reference->by, reference->symbol, kind, &want, &by_scope);
    reference->by_scope = by_scope.object;
    want = symbol_want_exact(&want);
    ask_all(session, reference, &want);
}

/* Nobody refers to it: the search that dlsym(RTLD_DEFAULT) would make from the program. */
static void suppose(struct story *story, struct session *session) {
    struct story_reference *reference = arena_zalloc(&session->arena, sizeof *reference);
    struct version *version = story->version ? arena_zalloc(&session->arena, sizeof *version) : NULL;
    if (version)
        *version = (struct version){ .name = story->version, .hash = sysv_hash_of(story->version), .hidden = true };
    *reference = (struct story_reference){ .by = &session->program->object, .version = version };
    struct symbol_want want = names_want(story->name, version);
    want.newest = true;
    reference->result = lookup_reference(reference->by, NULL, &want, NULL, NULL, &reference->found) ? 0 : REFERENCE_UNDEFINED;
    reference->by_scope = reference->found.object;
    story->references = story->last = reference;
    story->hypothetical = true;
    ask_all(session, reference, &want);
}

void why_story_symbol(struct story *story, struct session *session, const char *name, const char *version) {
    *story = (struct story){ .session = session, .name = name, .version = version };
    for (struct object *object = session->first; object; object = object->next) {
        struct collecting collecting = { .story = story, .session = session, .object = object };
        collecting.offset_count = names_offsets(&object->image, name, collecting.offsets);
        if (collecting.offset_count)
            relocs_each(object, collect, &collecting);
    }
    for (struct story_reference *reference = story->references; reference; reference = reference->next)
        bind(session, reference);
    if (!story->references)
        suppose(story, session);
}

void why_story_only(struct story *story, const struct object *by, u32 symbol, u32 classes) {
    struct story_reference *reference = story->references;
    while (reference && (reference->by != by || reference->symbol != symbol || reference->classes != classes))
        reference = reference->next;
    if (!reference)
        return;
    reference->next = NULL;
    story->references = story->last = reference;
    story->reference_count = 1;
}

/* ---- causes ------------------------------------------------------------------------------------------------------------ */

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

static char *cause_of_lost(const struct story *story, const struct story_reference *reference) {
    const struct object *where = NULL;
    const struct definition *refused = refused_before(reference, &where);
    const struct asked *doubtful = NULL;
    for (u32 i = 0; i < reference->asked_count && !doubtful; i++)
        for (u32 e = 0; e < reference->asked[i].entry_count; e++)
            if (reference->asked[i].entries[e].verdict == SYMBOL_ANSWERS_ALONE && !reference->asked[i].answers)
                doubtful = &reference->asked[i];
    if (refused)
        return must_format("%s has it%s%s, but that does not answer: %s", path_of(where), refused->version ? " as version " : "",
                           refused->version ? refused->version->name : "", verdict_text(refused->verdict));
    if (doubtful)
        return must_format("%s has several versions of it, and the reference names none", path_of(doubtful->object));
    for (u32 i = 0; i < reference->asked_count; i++) {
        const char *local = names_local(object_node(reference->asked[i].object), story->name);
        if (local)
            return must_format("%s has it, but %s: not in its dynamic symbol table", path_of(reference->asked[i].object), local);
    }
    return must_format("none of the %u objects searched defines it", reference->asked_count);
}

static const char *unsearched(const struct story *story, const char **needed_by) {
    for (const struct object *object = story->session->first; object; object = object->next)
        if (object->is_missing) {
            *needed_by = object->loader ? path_of(object->loader) : "a preload list";
            return path_of(object);
        }
    return NULL;
}

char *why_story_cause(const struct story *story, const struct story_reference *reference) {
    const char *needed_by = NULL, *missing = unsearched(story, &needed_by);
    u32 later;
    if (reference->result != 0) {
        if (reference->result < 0)
            return must_format("the reference itself is damaged");
        if (missing)
            return must_format("none of the %u objects searched defines it, and %s, needed by %s, is not found", reference->asked_count - 1, missing, needed_by);
        return cause_of_lost(story, reference);
    }
    const struct object *winner = reference->found.object;
    if (reference->local)
        return must_format("the symbol is local or hidden in %s: it binds there without a search", path_of(reference->by));
    if (reference->by_scope != winner)
        return must_format("it is a unique symbol (STB_GNU_UNIQUE): one definition serves the whole process, and %s was relocated first", path_of(winner));
    if (reference->winner == reference->asked_count)
        return must_format("it is protected in %s: its own references bind to itself", path_of(reference->by));
    const struct object *loser = answers_after(reference, &later), *where = NULL;
    const struct definition *refused = refused_before(reference, &where);
    if (refused && where != winner)
        return must_format("%s comes first and has it%s%s, but that does not answer: %s", path_of(where), refused->version ? " as version " : "",
                           refused->version ? refused->version->name : "", verdict_text(refused->verdict));
    if (reference->asked[reference->winner].scope == 0 && reference->by->scope_count > 1)
        return must_format("%s has DT_SYMBOLIC: it looks into itself first%s%s%s", path_of(reference->by), later ? ", so " : "", later ? path_of(loser) : "",
                           later ? " does not count" : "");
    if (reference->classes & CLASS_COPY)
        return must_format("the program has a copy of it, taken from there at start; everybody else uses the copy");
    if (winner->is_program && reference->found.symbol->st_shndx == SHN_UNDEF)
        return must_format("the program took the function's address without a GOT: its PLT entry is the address for everybody");
    if (!later)
        return must_format("the only definition in the search order (%u objects)", reference->asked_count);
    bool own = false;
    for (u32 i = reference->winner + 1; i < reference->asked_count; i++)
        own |= reference->asked[i].answers && reference->asked[i].object == reference->by;
    if (winner->found_by == FOUND_PRELOAD)
        return must_format("it is preloaded, so it stands before %s, which defines it too", path_of(own ? reference->by : loser));
    if (own)
        return must_format("interposed: %s defines it too, but %s stands before it in the search order", path_of(reference->by), winner->is_program ? "the program" : path_of(winner));
    return must_format("first of %u definitions in the search order; the next is in %s", later + 1, path_of(loser));
}
