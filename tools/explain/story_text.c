/* story_text.c - the story for people: the result, the cause, then the search. */
#include "../ldr.h"
#include "finding.h"
#include "hint.h"
#include "plain.h"
#include "source.h"
#include "story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *type_name(u32 type) {
    switch (type) {
    case STT_NOTYPE: return "NOTYPE";
    case STT_OBJECT: return "OBJECT";
    case STT_FUNC: return "FUNC";
    case STT_COMMON: return "COMMON";
    case STT_TLS: return "TLS";
    case STT_GNU_IFUNC: return "IFUNC";
    default: return "other type";
    }
}

static const char *bind_name(u32 bind) {
    return bind == STB_GLOBAL ? "GLOBAL" : bind == STB_WEAK ? "WEAK" : bind == STB_GNU_UNIQUE ? "UNIQUE" : "LOCAL";
}

static void print_entry(const char *name, const struct definition *entry) {
    const Elf64_Sym *sym = entry->entry;
    plain_printf("%s%s%s", name, entry->version ? entry->version_hidden || sym->st_shndx == SHN_UNDEF ? "@" : "@@" : "", entry->version ? entry->version->name : "");
    if (sym->st_shndx == SHN_UNDEF && !sym->st_value) {
        plain_printf(" undefined here");
        return;
    }
    plain_printf(" %s %s, %llu bytes at %#llx", type_name(ELF64_ST_TYPE(sym->st_info)), bind_name(ELF64_ST_BIND(sym->st_info)), (unsigned long long)sym->st_size,
           (unsigned long long)sym->st_value);
    if (sym->st_shndx == SHN_UNDEF)
        plain_printf(" (a PLT entry)");
    if (ELF64_ST_TYPE(sym->st_info) == STT_GNU_IFUNC)
        plain_printf(" (a resolver that chooses at run time)");
}

static const char *path_of(const struct object *object) { return node_path(object_node(object)); }

static void print_asked(const struct story *story, const struct story_reference *reference, u32 i) {
    const struct asked *asked = &reference->asked[i];
    plain_printf("  %3u %s%s: ", i + 1, path_of(asked->object), asked->scope < reference->by->scope_count - 1 ? " (itself first, DT_SYMBOLIC)" : "");
    bool told = false;
    if (!asked->entry_count)
        plain_printf("%s", asked->object->is_missing ? missing_how(asked->object) : asked->answers ? "defined" : "not there");
    for (u32 e = 0; e < asked->entry_count; e++) {
        const struct definition *entry = &asked->entries[e];
        if (e)
            fputs("\n      ", stdout);
        print_entry(story->name, entry);
        if (entry->verdict < 0 && entry->verdict != SYMBOL_REFUSED_UNDEFINED)
            plain_printf(": no, %s", verdict_text(entry->verdict));
        if (entry->verdict == SYMBOL_REFUSED_UNDEFINED && entry->entry->st_value)
            plain_printf(": no, calls look for the function itself");
        if (entry->verdict == SYMBOL_ANSWERS_ALONE && !asked->answers)
            plain_printf(": no, several versions and the reference names none");
        /* Told on the line of the entry that does it, not behind another that does not. */
        if (i == reference->winner && entry->entry == reference->found.symbol && e + 1 < asked->entry_count) {
            plain_printf("  <- answers");
            told = true;
        }
    }
    if (asked->passed_over)
        plain_printf(": passed over, a copy is not taken from the program");
    if (i == reference->winner && !told)
        plain_printf(reference->by_scope == reference->found.object ? "  <- answers" : "  <- answers the search, but the process has settled on another");
    else if (asked->answers && i != reference->winner)
        plain_printf(i > reference->winner ? ": too late in the search order" : ": answers, but the reference's own definition is protected");
    putchar('\n');
}

/* No candidate: the object lacks the name, or refers to it only. */
static bool is_bystander(const struct asked *asked) {
    bool none = !asked->answers && !asked->passed_over && !asked->object->is_missing;
    for (u32 e = 0; e < asked->entry_count; e++)
        none &= asked->entries[e].entry->st_shndx == SHN_UNDEF && !asked->entries[e].entry->st_value;
    return none;
}

/* Bystanders are folded where several stand together, and left out behind the winner. */
static void print_search(const struct story *story, const struct story_reference *reference) {
    for (u32 i = 0; i < reference->asked_count; i++) {
        u32 last = i;
        while (last < reference->asked_count && last != reference->winner && is_bystander(&reference->asked[last]))
            last++;
        bool after = i > reference->winner;
        if (after && last > i) {
            i = last - 1;
            continue;
        }
        if (last > i + 2) {
            plain_printf("  %3u-%u %s ... %s: none defines it\n", i + 1, last, path_of(reference->asked[i].object), path_of(reference->asked[last - 1].object));
            i = last - 1;
            continue;
        }
        print_asked(story, reference, i);
    }
}

static void print_places(const struct story_reference *reference) {
    for (u32 i = 0; i < reference->place_count && i < PLACES_MAX; i++) {
        const struct reloc_record *record = &reference->places[i];
        plain_printf("  %s at %#llx", arch_reloc_name(record->type), (unsigned long long)record->place);
        if (record->addend)
            plain_printf(" %c %#llx", record->addend < 0 ? '-' : '+', (unsigned long long)(record->addend < 0 ? 0 - (u64)record->addend : (u64)record->addend));
        puts(relocs_lazy(reference->by, record) ? ", bound at the first call" : ", bound at start");
    }
    if (reference->place_count > PLACES_MAX)
        plain_printf("  ... and %u more places\n", reference->place_count - PLACES_MAX);
}

static void print_definition(const struct object *object, u64 vaddr, bool is_code) {
    char *why, *text = source_definition(object_node(object), vaddr, is_code, &why);
    plain_printf(text ? "  the definition is at %s\n" : "  where the definition was written is not known: %s\n", text ? text : why);
    free(text);
    free(why);
}

/* True when it said why it knows none: the same of every place of the object. */
static bool print_variable(const struct object *object, u64 vaddr) {
    struct source_words words = source_words(object_node(object), &vaddr, 1);
    const struct debuginfo_answer *answer = source_word(&words, 0);
    char *text = answer ? source_word_text(answer) : NULL;
    if (text)
        plain_printf("  the reference is in %s\n", text);
    const char *problem = answer && answer->how == DEBUGINFO_DWARF ? NULL : source_words_problem(&words);
    if (problem)
        plain_printf("  where the variable was written is not known: %s\n", problem);
    free(text);
    source_words_free(&words);
    return problem;
}

/* Where the definition was written, and for words of data which variable refers to it. */
static void print_sources(const struct story_reference *reference) {
    for (u32 i = 0; i < reference->place_count && i < PLACES_MAX; i++) {
        const struct reloc_record *record = &reference->places[i];
        if (record->kind.class == RELOC_SYMBOL && record->type == R_X86_64_64 && print_variable(reference->by, record->place))
            break;
    }
    if (reference->result == 0 && reference->found.symbol->st_shndx != SHN_UNDEF && ELF64_ST_TYPE(reference->found.symbol->st_info) != STT_TLS)
        print_definition(reference->found.object, reference->found.symbol->st_value,
                         ELF64_ST_TYPE(reference->found.symbol->st_info) == STT_FUNC || ELF64_ST_TYPE(reference->found.symbol->st_info) == STT_GNU_IFUNC);
}

/* Where an undefined reference ends the program. */
static const char *end_text(const struct story *story, const struct story_reference *reference) {
    bool library = session_is_library(story->session);
    if (story->refusal.kind != REFUSAL_NONE)
        return library ? "it cannot be loaded" : "the program does not start";
    if (!reference->place_count || !relocs_lazy(reference->by, &reference->places[0]))
        return library ? "it cannot be loaded, unless whoever loads it has the symbol" : "the program ends at its start";
    return library ? "the program ends at the first call, unless whoever loads it has the symbol" : "the program ends at the first call";
}

static char *result_text(const struct story *story, const struct story_reference *reference) {
    if (story->link_time.object)
        return must_format("is defined in %s itself: the link editor has bound it", path_of(story->link_time.object));
    if (reference->result == REFERENCE_WEAK)
        return must_format("is 0 (a weak reference that nobody answers)");
    if (why_story_static(story))
        return must_format("is not known in %s", node_path(story->session->program));
    if (reference->result != 0)
        return story->hypothetical ? must_format("is undefined and not referred to") : must_format("is undefined: %s", end_text(story, reference));
    return must_format("binds to %s", path_of(reference->found.object));
}

static void print_reference(const struct story *story, const struct story_reference *reference) {
    plain_printf("%s%s", story->hypothetical ? "nobody refers to it; a search from " : "referred to by ", path_of(reference->by));
    if (reference->version)
        plain_printf(" as %s@%s", story->name, reference->version->name);
    putchar('\n');
    print_places(reference);
    print_search(story, reference);
    if (story->source)
        print_sources(reference);
}

static bool same_story(const struct story_reference *a, const struct story_reference *b) {
    return a->result == b->result && a->found.object == b->found.object && a->found.symbol == b->found.symbol && (a->classes & CLASS_COPY) == (b->classes & CLASS_COPY) &&
           a->local == b->local && (a->asked_count == a->winner) == (b->asked_count == b->winner) && a->by->scope_count == b->by->scope_count;
}

static bool is_known(const struct story *story) {
    if (!story->hypothetical || story->link_time.object)
        return true;
    if (why_story_static(story))
        return false;
    for (u32 i = 0; i < story->references->asked_count; i++)
        if (story->references->asked[i].entry_count)
            return true;
    return false;
}

/* The reference that the headline is about: the worst, else one whose own definition was taken away, else the program's. */
static const struct story_reference *main_reference(const struct story *story) {
    const struct story_reference *best = story->references;
    for (const struct story_reference *reference = story->references; reference; reference = reference->next) {
        if (reference->result == REFERENCE_UNDEFINED || reference->result < 0)
            return reference;
        bool own_lost = false;
        for (u32 i = reference->winner + 1; i < reference->asked_count; i++)
            own_lost |= reference->asked[i].answers && reference->asked[i].object == reference->by;
        if (own_lost && best == story->references)
            best = reference;
    }
    return best;
}

/* The copy itself is taken from somewhere else than where all others end, as it must be: nothing is split by that. */
static u32 different_results(const struct story *story) {
    u32 count = 0;
    for (const struct story_reference *a = story->references; a; a = a->next) {
        bool first = !(a->classes & CLASS_COPY);
        for (const struct story_reference *b = story->references; b != a && first; b = b->next)
            first = (b->classes & CLASS_COPY) || b->found.object != a->found.object || b->result != a->result;
        count += first;
    }
    return count;
}

static void print_hints(const struct story *story, const struct story_reference *reference) {
    struct lost_reason lost = why_story_lost(story, reference);
    struct lines lines = { 0 };
    char *advice;
    if (lost.kind == LOST_VERSION)
        advice = hint_version(story->session, node_name(object_node(lost.where)), reference->version->name, &lines);
    else if (lost.kind == LOST_LIBRARY && object_node(lost.where)->defect.code)
        advice = must_format("Replace %s first: the search stops at it; ldr check %s tells why.", object_node(lost.where)->defect_path,
                             node_path(story->session->program));
    else if (lost.kind == LOST_LIBRARY)
        advice = must_format("Find %s first: ldr check %s tells where it was looked for.", path_of(lost.where), node_path(story->session->program));
    else
        advice = hint_symbol(story->session, story->name, reference->version, &lines);
    /* The cause has named what all but answers; the first line of evidence would say it again. */
    const char *at = lines.text, *told = lost.kind == LOST_REFUSED || lost.kind == LOST_LOCAL ? path_of(lost.where) : NULL;
    if (at && told && strncmp(at, told, strlen(told)) == 0)
        at = strchr(at, '\n') + 1;
    for (; at && *at;) {
        size_t len = strcspn(at, "\n");
        plain_printf("  %.*s\n", (int)len, at);
        at += len + (at[len] == '\n');
    }
    plain_printf("  -> %s\n", advice);
    free(lines.text);
    free(advice);
}

/* Not where it is the cause itself. */
static void print_refusal(const struct story *story, const struct story_reference *reference) {
    enum lost_kind lost = reference->result == REFERENCE_UNDEFINED ? why_story_lost(story, reference).kind : LOST_NOWHERE;
    if (story->refusal.kind == REFUSAL_NONE || lost == LOST_LIBRARY || lost == LOST_VERSION)
        return;
    char *text = refusal_text(&story->refusal);
    plain_printf("  but %s: %s\n", session_is_library(story->session) ? "it cannot be loaded" : "the program does not start", text);
    free(text);
}

static void print_link_time(const struct story *story) {
    const struct link_time *link_time = &story->link_time;
    const char *path = path_of(link_time->object);
    if (link_time->object->is_program && session_is_static(story->session))
        plain_printf("  %s is statically linked: the linker looks nothing up in it\n", path);
    else
        plain_printf("  %s in %s, so it is not in its dynamic symbol table, and no relocation names it: the linker looks nothing up\n", link_time->symbol.how, path);
    plain_printf("  %llu bytes at %#llx (.symtab)\n", (unsigned long long)link_time->symbol.size, (unsigned long long)link_time->symbol.value);
    if (story->source)
        print_definition(link_time->object, link_time->symbol.value, link_time->symbol.is_code);
}

bool why_story_text(const struct story *story, u32 most) {
    const struct story_reference *main = main_reference(story);
    char *result = result_text(story, main), *cause = why_story_cause(story, main);
    u32 different = different_results(story), shown = 0;
    char *name = names_readable(story->name);
    plain_printf("%s%s%s %s\n", name, story->version ? "@" : "", story->version ? story->version : "", result);
    free(name);
    if (story->link_time.object) {
        print_link_time(story);
        free(result);
        free(cause);
        return true;
    }
    plain_printf("  %s\n", cause);
    print_refusal(story, main);
    if (different > 1)
        plain_printf("  for %s; other references end elsewhere: %u different results\n", path_of(main->by), different);
    if (main->result != 0 && main->result != REFERENCE_WEAK && !session_is_static(story->session))
        print_hints(story, main);
    if (is_known(story)) {
        putchar('\n');
        print_reference(story, main);
        shown++;
    }
    for (const struct story_reference *reference = story->references; reference; reference = reference->next) {
        if (reference == main)
            continue;
        bool told = shown < most && same_story(main, reference);
        for (const struct story_reference *other = story->references; other != reference && !told && shown < most; other = other->next)
            told = same_story(other, reference);
        if (told && shown < most) {
            plain_printf("also referred to by %s: the same\n", path_of(reference->by));
            shown++;
        } else if (shown < most) {
            char *other_result = result_text(story, reference), *other_cause = why_story_cause(story, reference);
            plain_printf("\n%s %s\n", story->name, other_result);
            plain_printf("  %s\n", other_cause);
            print_reference(story, reference);
            free(other_result);
            free(other_cause);
            shown++;
        } else if (shown++ == most) {
            plain_printf("... and by %u more (--all)\n", story->reference_count - most);
        }
    }
    free(result);
    free(cause);
    return is_known(story);
}
