/* story.c - repeats the linker's lookup object by object. The winner is session_bind's; the walk only adds what each object had to say, by
 * the same functions (image_find_symbol, image_symbol_answers). */
#include "story.h"
#include "../ldr.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1024 };
struct collecting {
    struct story *story;
    struct object *object;
    struct story_reference *buckets[BUCKETS];      /* of this object, by symbol */
};
/* What one object has of the name, found once: hundreds of objects may refer to it, and each reference asks all. */
struct entries {
    struct name_offsets offsets;
    u32 *symbols, count;
};

static bool is_name(const struct collecting *collecting, u32 symbol) {
    const struct image *image = &collecting->object->image;
    return symbol && symbol < image->sym_limit &&
           names_offset_is(&collecting->story->entries[object_node(collecting->object)->number].offsets, image->symtab[symbol].st_name);
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
    struct story_reference **bucket = &collecting->buckets[record->symbol % BUCKETS], *reference = *bucket;
    while (reference && (reference->symbol != record->symbol || reference->classes != classes))
        reference = reference->next_in_bucket;
    if (!reference) {
        reference = arena_zalloc(&story->session->arena, sizeof *reference);
        *reference = (struct story_reference){ .by = collecting->object, .symbol = record->symbol, .classes = classes, .version = version, .next_in_bucket = *bucket };
        *bucket = reference;
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

static const struct definition *judge_all(struct story *story, const struct object *object, const struct symbol_want *want, u32 *count) {
    const struct entries *entries = &story->entries[object_node(object)->number];
    *count = entries->count;
    if (!entries->count)
        return NULL;
    struct definition *list = arena_zalloc(&story->session->arena, entries->count * sizeof *list);
    for (u32 i = 0; i < entries->count; i++)
        list[i] = names_judge(object, entries->symbols[i], want);
    return list;
}

static bool same_version(const struct version *a, const struct version *b) {
    return a == b || (a && b && a->hash == b->hash && a->hidden == b->hidden && strcmp(a->name, b->name) == 0);
}

/* Asks one object after the other, or finds that another reference has asked for the same in the same places. */
static void ask_all(struct story *story, struct story_reference *reference, const struct symbol_want *want) {
    const struct object *by = reference->by;
    for (const struct story_reference *other = story->references; other && other != reference; other = other->next)
        if (other->asked && other->classes == reference->classes && by->scope_count == 1 && other->by->scope_count == 1 && other->by->scope[0] == by->scope[0] &&
            same_version(other->version, reference->version)) {
            reference->asked = other->asked;
            reference->asked_count = other->asked_count;
        }
    if (!reference->asked) {
        u64 most = 0;
        for (u32 s = 0; s < by->scope_count; s++)
            most += by->scope[s]->count;
        struct asked *list = arena_zalloc(&story->session->arena, (most + 1) * sizeof *list);
        for (u32 s = 0; s < by->scope_count; s++)
            for (u32 i = 0; i < by->scope[s]->count; i++) {
                const struct object *object = by->scope[s]->object[i];
                struct asked *asked = &list[reference->asked_count++];
                *asked = (struct asked){ .object = object, .scope = s, .passed_over = (want->classes & CLASS_COPY) && object->is_program };
                asked->entries = judge_all(story, object, want, &asked->entry_count);
                asked->answers = !asked->passed_over && image_find_symbol(&object->image, want) != NULL;
            }
        reference->asked = list;
    }
    reference->winner = reference->asked_count;
    for (u32 i = 0; i < reference->asked_count && reference->result == 0; i++)
        if (reference->asked[i].object == reference->by_scope && reference->asked[i].answers) {
            reference->winner = i;
            break;
        }
}

/* As session_bind for a relocation, from the number alone. */
static void bind(struct story *story, struct story_reference *reference) {
    struct session *session = story->session;
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
    ask_all(story, reference, &want);
}

/* The copy relocation whose place is the definition: the definition may have several names there, and the copy is made under one. */
struct copy_search {
    u64 vaddr;
    u32 symbol;
};

static bool is_copy_of(const struct reloc_record *record, void *arg) {
    struct copy_search *search = arg;
    if (record->kind.class != RELOC_COPY || record->place != search->vaddr)
        return true;
    search->symbol = record->symbol;
    return false;
}

static void find_copies(struct story *story) {
    const struct object *program = &story->session->program->object;
    const Elf64_Sym *last = NULL;
    struct copy_search search = { 0 };
    for (struct story_reference *reference = story->references; reference; reference = reference->next) {
        const struct binding *found = &reference->found;
        if (reference->result != 0 || found->object != program || found->symbol->st_shndx == SHN_UNDEF)
            continue;
        if (found->symbol != last) {
            search = (struct copy_search){ .vaddr = found->symbol->st_value };
            relocs_each(program, is_copy_of, &search);
        }
        last = found->symbol;
        reference->copy = search.symbol < program->image.sym_limit ? search.symbol : 0;
    }
}

/* Nobody refers to it: the search that dlsym(RTLD_DEFAULT) would make from the program. */
static void suppose(struct story *story) {
    struct session *session = story->session;
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
    ask_all(story, reference, &want);
    /* What the program itself defines and does not export is meant before what a search would find elsewhere. */
    struct link_time *link_time = &story->link_time;
    if (version || (reference->result == 0 && reference->found.object->is_program))
        return;
    for (const struct object *object = session->first; object && !link_time->object; object = object->next)
        if ((object->is_program || reference->result != 0) && names_full(object_node(object), story->name, &link_time->symbol))
            link_time->object = object;
}

void why_story_symbol(struct story *story, struct session *session, const char *name, const char *version) {
    *story = (struct story){ .session = session, .name = name, .version = version, .source = story->source };
    story->refusal = session_refusal(session);
    story->entries = must_alloc(session->count, sizeof *story->entries);
    for (struct object *object = session->first; object; object = object->next) {
        struct entries *entries = &story->entries[object_node(object)->number];
        struct collecting collecting = { .story = story, .object = object };
        entries->offsets = names_offsets(&object->image, name);
        entries->symbols = names_symbols(object, &entries->offsets, &entries->count);
        if (entries->offsets.count)
            relocs_each(object, collect, &collecting);
    }
    for (struct story_reference *reference = story->references; reference; reference = reference->next)
        bind(story, reference);
    find_copies(story);
    if (!story->references)
        suppose(story);
    for (u32 i = 0; i < session->count; i++) {
        free(story->entries[i].offsets.at);
        free(story->entries[i].symbols);
    }
    free(story->entries);
    story->entries = NULL;
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
