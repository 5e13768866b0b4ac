/* cmd_relocs.c - `ldr relocs`: every relocation of a program and its libraries, with what it binds to. */
#include "explain/plain.h"
#include "explain/relocs.h"
#include "explain/root.h"
#include "explain/sections.h"
#include "explain/source.h"
#include "explain/tree.h"
#include "ldr.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCHEMA_VERSION = 1 };
enum { KEY_OBJECT = 256, KEY_SYMBOL, KEY_SECTION, KEY_TYPE, KEY_PAGE, KEY_SOURCE };

struct relocs_options {
    struct explain_options explain;
    const char *program, *object, *symbol, *section, *type;
    u64 page;
    bool has_page, list, source;
};

static const struct argp_option options[] = {
    { "list", 'l', NULL, 0, "Every record, not only the counts (implied by the filters)", 0 },
    { "object", KEY_OBJECT, "NAME", 0, "Only those of one object: a path, a file name or a soname; the program's own name works too", 0 },
    { "symbol", KEY_SYMBOL, "NAME", 0, "Only those that name this symbol", 0 },
    { "section", KEY_SECTION, "NAME", 0, "Only those whose place is in this section", 0 },
    { "type", KEY_TYPE, "TYPE", 0, "Only those of this type (R_X86_64_COPY, or COPY)", 0 },
    { "page", KEY_PAGE, "ADDRESS", 0, "Only those whose place is on the page of this link-time address", 0 },
    { "source", KEY_SOURCE, NULL, 0, "Also the variable and member that each place belongs to, from debug information (implies --list)", 0 },
    { 0 },
};

static error_t parse_option(int key, char *arg, struct argp_state *state) {
    struct relocs_options *relocs = state->input;
    char *end;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &relocs->explain; return 0;
    case 'l': relocs->list = true; return 0;
    case KEY_OBJECT: relocs->object = arg; return 0;
    case KEY_SYMBOL: relocs->symbol = arg; relocs->list = true; return 0;
    case KEY_SECTION: relocs->section = arg; relocs->list = true; return 0;
    case KEY_TYPE: relocs->type = arg; relocs->list = true; return 0;
    case KEY_SOURCE: relocs->source = relocs->list = true; return 0;
    case KEY_PAGE:
        relocs->page = strtoull(arg, &end, 0);
        if (*end || end == arg || *arg == '-')
            argp_error(state, "--page needs an address, not '%s'", arg);
        relocs->has_page = relocs->list = true;
        return 0;
    case ARGP_KEY_ARG:
        if (relocs->program)
            argp_error(state, "one program at a time: %s or %s?", relocs->program, arg);
        relocs->program = arg;
        return 0;
    case ARGP_KEY_NO_ARGS: argp_error(state, "no program named"); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* ---- one object --------------------------------------------------------------------------------------------------------- */

enum { UNKNOWN_TYPES = 1 };

struct listing {
    const struct relocs_options *relocs;
    const struct session *session;
    struct object *object;
    struct sections sections;
    struct source_words words;        /* with --source: of each record shown */
    u64 *places, place_count, place_room;          /* that are asked for, until `words` has the answers */
    u64 counts[ARCH_RELOC_TYPES + UNKNOWN_TYPES], total, shown, undefined;
    bool any;                         /* JSON: a record was printed, a comma is due */
};

/* What one record ends in. */
struct target {
    const char *symbol;
    const struct version *version;
    int result;                       /* as session_bind; 0 too where no symbol is looked up */
    const struct object *object;      /* NULL: none */
    u64 vaddr;                        /* in it: what is stored is its load bias plus this, or what the type makes of it */
};

static struct target target_of(const struct listing *listing, const struct reloc_record *record) {
    struct target target = { .symbol = relocs_symbol_name(listing->object, record->symbol) };
    struct symbol_want want;
    struct binding found;
    switch (record->kind.class) {
    case RELOC_NONE:
    case RELOC_UNKNOWN: return target;
    case RELOC_RELATIVE:
    case RELOC_IRELATIVE:
        target.object = listing->object;
        target.vaddr = (u64)record->addend;
        return target;
    default: break;
    }
    if (!record->symbol) {
        target.object = listing->object;
        target.vaddr = (u64)record->addend;
        return target;
    }
    if (target.symbol)
        target.version = reference_version(listing->object, record->symbol);
    target.result = session_bind(listing->session, listing->object, record->symbol, record->kind, &want, &found);
    if (target.result == 0) {
        target.object = found.object;
        target.vaddr = found.symbol->st_value + (record->kind.class == RELOC_COPY ? 0 : (u64)record->addend);
    }
    return target;
}

static bool type_matches(const char *wanted, u32 type) {
    const char *name = arch_reloc_name(type);
    return name && (strcasecmp(name, wanted) == 0 || (strlen(name) > 9 && strcasecmp(name + 9, wanted) == 0));
}

static bool matches(const struct listing *listing, const struct reloc_record *record, const struct section *section) {
    const struct relocs_options *relocs = listing->relocs;
    const char *symbol = relocs_symbol_name(listing->object, record->symbol);
    return (!relocs->symbol || (symbol && strcmp(symbol, relocs->symbol) == 0)) && (!relocs->type || type_matches(relocs->type, record->type)) &&
           (!relocs->section || (section && strcmp(section->name, relocs->section) == 0)) && (!relocs->has_page || record->place / LDR_PAGE == relocs->page / LDR_PAGE);
}

static const char *type_text(u32 type, char *room, size_t len) {
    const char *name = arch_reloc_name(type);
    if (!name)
        snprintf(room, len, "type %u", type);
    return name ? name : room;
}

/* The number that a relocation of thread storage stores (of a descriptor the second word); false: it is none, or a number that the process
 * gives only when it opens the library. */
static bool stored_number(const struct reloc_record *record, const struct target *target, i64 *number) {
    if (record->kind.class < RELOC_TLS_MODULE || !target->object || !target->object->tls_module)
        return false;
    *number = (i64)tls_word(record->kind.class, target->object, target->vaddr);
    return true;
}

/* What is stored where it is not the target's address. NULL: it is. */
static const char *stored_text(const struct reloc_record *record) {
    switch (record->kind.class) {
    case RELOC_PC: return "less the place's address";
    case RELOC_SIZE: return "the symbol's size is stored";
    case RELOC_COPY: return "its bytes are copied";
    case RELOC_IRELATIVE: return "what this function returns";
    case RELOC_TLS_MODULE: return "its module number";
    case RELOC_TLS_OFFSET: return "as offset in its thread storage";
    case RELOC_TLS_TPOFF: return "as offset from the thread pointer";
    case RELOC_TLS_DESC: return "a descriptor: a function, and the offset from the thread pointer";
    default: return NULL;
    }
}

static void print_target(const struct reloc_record *record, const struct target *target) {
    const char *stored = stored_text(record);
    i64 number;
    plain_printf(" -> %s %#" PRIx64, node_path(object_node(target->object)), target->vaddr);
    if (stored_number(record, target, &number))
        plain_printf(" (%s: %s%#" PRIx64 ")", stored, number < 0 ? "-" : "", number < 0 ? 0 - (u64)number : (u64)number);
    else if (stored)
        plain_printf(" (%s)", stored);
}

static void print_record(const struct listing *listing, const struct reloc_record *record, const struct section *section, const struct target *target) {
    char type[24];
    plain_printf("  %#12" PRIx64 "  %-18s %-20s", record->place, section ? section->name : "-", type_text(record->type, type, sizeof type));
    if (target->symbol && record->symbol)
        plain_printf(" %s%s%s", target->symbol, target->version ? "@" : "", target->version ? target->version->name : "");
    if (record->addend && record->symbol)
        plain_printf(" %c %#" PRIx64, record->addend < 0 ? '-' : '+', record->addend < 0 ? 0 - (u64)record->addend : (u64)record->addend);
    if (target->object)
        print_target(record, target);
    else if (target->result == REFERENCE_WEAK)
        plain_printf(" -> 0 (weak)");
    else if (target->result == REFERENCE_UNDEFINED)
        plain_printf(" -> UNDEFINED");
    else if (target->result < 0)
        plain_printf(" -> damaged: %s", ldr_error_text(-target->result));
    const struct debuginfo_answer *answer = source_word(&listing->words, listing->shown - 1);
    char *variable = answer ? source_word_text(answer) : NULL;
    if (variable)
        plain_printf("  in %s", variable);
    free(variable);
    putchar('\n');
}

/* A JSON string. Names come from files and may hold anything: bytes that are no UTF-8 as everywhere (text_utf8). */
static void json_text(const char *text) {
    char *valid = text_utf8(text);
    putchar('"');
    for (const unsigned char *at = (const unsigned char *)valid; *at; at++)
        if (*at == '"' || *at == '\\')
            printf("\\%c", *at);
        else if (*at < 32)
            printf("\\u%04x", *at);
        else
            putchar(*at);
    putchar('"');
    free(valid);
}

static void print_variable_json(const struct debuginfo_answer *answer) {
    printf(", \"variable\": "), json_text(answer->name);
    printf(", \"member\": "), json_text(answer->path);
    printf(", \"variable_type\": "), json_text(answer->type);
    printf(", \"file\": "), json_text(answer->file);
    printf(", \"line\": %u, \"variable_from\": \"%s\"", answer->line, debuginfo_how_name(answer->how));
}

static void print_record_json(struct listing *listing, const struct reloc_record *record, const struct section *section, const struct target *target) {
    char type[24];
    printf("%s\n    {\"table\": \"%s\", \"place\": %" PRIu64 ", \"type\": \"%s\", \"type_number\": %u, \"addend\": %" PRId64, listing->any ? "," : "",
           reloc_table_name(record->table), record->place, type_text(record->type, type, sizeof type), record->type, record->addend);
    listing->any = true;
    if (section)
        printf(", \"section\": "), json_text(section->name);
    if (record->symbol) {
        printf(", \"symbol_number\": %u, \"symbol\": ", record->symbol);
        json_text(target->symbol ? target->symbol : "");
    }
    if (target->version)
        printf(", \"version\": "), json_text(target->version->name);
    if (record->symbol)
        printf(", \"result\": \"%s\"", target->result == 0 ? "bound" : target->result == REFERENCE_WEAK ? "weak-undefined" : target->result < 0 ? "damaged" : "undefined");
    if (relocs_lazy(listing->object, record))
        printf(", \"lazy\": true");
    if (target->object) {
        printf(", \"target_object\": %u, \"target\": ", object_node(target->object)->number);
        json_text(node_path(object_node(target->object)));
        printf(", \"target_vaddr\": %" PRIu64, target->vaddr);
    }
    i64 number;
    if (stored_number(record, target, &number))
        printf(", \"stored\": %" PRId64, number);
    const struct debuginfo_answer *answer = source_word(&listing->words, listing->shown - 1);
    if (answer)
        print_variable_json(answer);
    putchar('}');
}

static bool take(const struct reloc_record *record, void *arg) {
    struct listing *listing = arg;
    const struct section *section = listing->relocs->list ? sections_at(&listing->sections, record->place) : NULL;
    if (!matches(listing, record, section))
        return true;
    listing->counts[record->type < ARCH_RELOC_TYPES ? record->type : ARCH_RELOC_TYPES]++;
    listing->shown++;
    struct target target = target_of(listing, record);
    listing->undefined += target.result == REFERENCE_UNDEFINED || target.result < 0;
    if (!listing->relocs->list)
        return true;
    if (listing->relocs->explain.json)
        print_record_json(listing, record, section, &target);
    else
        print_record(listing, record, section, &target);
    return true;
}

static bool note_place(const struct reloc_record *record, void *arg) {
    struct listing *listing = arg;
    if (!matches(listing, record, sections_at(&listing->sections, record->place)))
        return true;
    if (listing->place_count == listing->place_room)
        listing->places = must_grow(listing->places, listing->place_room = listing->place_room * 2 + 256, sizeof *listing->places);
    listing->places[listing->place_count++] = record->place;
    return true;
}

/* All places of one object in one question: each walk over debug information costs as much as all together. */
static void ask_source(struct listing *listing) {
    relocs_each(listing->object, note_place, listing);
    listing->words = source_words(object_node(listing->object), listing->places, listing->place_count);
    free(listing->places);
    listing->places = NULL;
}

static void print_counts(const struct listing *listing) {
    if (source_words_problem(&listing->words))
        plain_printf("%s: variables are not or not all known: %s\n", node_path(object_node(listing->object)), source_words_problem(&listing->words));
    plain_printf("%s: %" PRIu64 " relocation%s", node_path(object_node(listing->object)), listing->shown, listing->shown == 1 ? "" : "s");
    const char *lead = ": ";
    for (u32 type = 0; type <= ARCH_RELOC_TYPES; type++)
        if (listing->counts[type]) {
            const char *name = type < ARCH_RELOC_TYPES ? arch_reloc_name(type) : NULL;
            plain_printf("%s%s %" PRIu64, lead, name ? name + 9 : "unknown", listing->counts[type]);
            lead = ", ";
        }
    if (listing->undefined)
        plain_printf("; %" PRIu64 " UNDEFINED", listing->undefined);
    putchar('\n');
}

static void print_counts_json(const struct listing *listing) {
    const char *lead = "";
    printf("\"counts\": {");
    for (u32 type = 0; type <= ARCH_RELOC_TYPES; type++)
        if (listing->counts[type]) {
            const char *name = type < ARCH_RELOC_TYPES ? arch_reloc_name(type) : NULL;
            printf("%s\"%s\": %" PRIu64, lead, name ? name : "unknown", listing->counts[type]);
            lead = ", ";
        }
    printf("}, \"undefined\": %" PRIu64, listing->undefined);
}

static bool is_meant(const struct relocs_options *relocs, const struct object *object) {
    return !relocs->object || tree_is_meant(object_node(object), relocs->object);
}

/* Objects in load order; returns what was shown and, in *undefined, not found. */
static u64 list_all(const struct relocs_options *relocs, const struct session *session, u64 *undefined) {
    u64 shown = 0;
    bool json = relocs->explain.json, any = false;
    if (json) {
        printf("{\"schema\": \"ldr-relocs\", \"schema_version\": %d, \"program\": ", SCHEMA_VERSION);
        json_text(node_path(session->program));
        printf(", \"objects\": [");
    }
    for (struct object *object = session->first; object; object = object->next) {
        if (object->is_missing || !is_meant(relocs, object))
            continue;
        struct listing listing = { .relocs = relocs, .session = session, .object = object };
        if (relocs->list)
            listing.sections = sections_read(object_node(object)->file);
        if (relocs->source)
            ask_source(&listing);
        if (json) {
            printf("%s\n  {\"number\": %u, \"path\": ", any ? "," : "", object_node(object)->number);
            json_text(node_path(object_node(object)));
            printf(", \"records\": [");
        }
        relocs_each(object, take, &listing);
        if (json) {
            printf("], ");
            if (source_words_problem(&listing.words))
                printf("\"source_problem\": "), json_text(source_words_problem(&listing.words)), printf(", ");
            print_counts_json(&listing);
            putchar('}');
        } else if (listing.shown || !relocs->list) {
            print_counts(&listing);
        }
        any = true;
        shown += listing.shown;
        *undefined += listing.undefined;
        sections_free(&listing.sections);
        source_words_free(&listing.words);
    }
    if (json)
        printf("\n], \"relocations\": %" PRIu64 ", \"undefined\": %" PRIu64 "}\n", shown, *undefined);
    else
        printf("%" PRIu64 " relocation%s in all%s\n", shown, shown == 1 ? "" : "s", session_is_static(session) ? ": statically linked, it relocates itself" : "");
    return shown;
}

static bool has_section(const struct object *object, const char *name) {
    struct sections sections = sections_read(object_node(object)->file);
    bool has = false;
    for (size_t i = 0; i < sections.count && !has; i++)
        has = strcmp(sections.list[i].name, name) == 0;
    sections_free(&sections);
    return has;
}

/* A filter that can match nothing, because it names what is not there, is told from one that matches nothing. */
static void tell_unmatched(const struct relocs_options *relocs, const struct session *session) {
    bool object_there = false, type_there = !relocs->type, section_there = !relocs->section;
    for (const struct object *object = session->first; object; object = object->next)
        if (!object->is_missing && is_meant(relocs, object)) {
            object_there = true;
            section_there = section_there || has_section(object, relocs->section);
        }
    for (u32 type = 0; type < ARCH_RELOC_TYPES && !type_there; type++)
        type_there = type_matches(relocs->type, type);
    if (!object_there)
        warn_ldr("%s loads no %s", relocs->program, relocs->object);
    else if (!type_there)
        warn_ldr("there is no relocation type '%s' on x86-64", relocs->type);
    else if (!section_there)
        warn_ldr(relocs->object ? "%s has no section '%s'" : "no object of %s has a section '%s'", relocs->object ? relocs->object : relocs->program, relocs->section);
    else
        warn_ldr("%s: no relocation matches", relocs->program);
}

int cmd_relocs(int argc, char **argv) {
    static const struct argp_child children[] = EXPLAIN_CHILDREN;
    static const struct argp argp = {
        options, parse_option, "PROGRAM",
        "List the relocations of PROGRAM and its libraries: place, section, type, symbol, version, addend, and the object and link-time "
        "address that each binds to.\v"
        "Without options the numbers by object and type. What is stored at a place is the load address of the object shown plus the address "
        "shown (for thread storage and copies: what the type makes of it). A record's line stands before its object's sum.\n"
        "\n"
        "Exit status: 0 all bound, 1 ldr failed, 2 usage, 3 something is undefined, 4 no such program or nothing that matches.\n"
        "\n"
        "Examples:\n"
        "  ldr relocs gdb\n"
        "  ldr relocs --object libc.so.6 --list openssl\n"
        "  ldr relocs --symbol malloc --type JUMP_SLOT gdb\n"
        "  ldr relocs --source --object ./server --section .data.rel.ro ./server\n"
        "  ldr relocs --object libcrypto.so.3 --page 0x46a000 --json openssl\n",
        children, NULL, NULL,
    };
    struct relocs_options relocs = { 0 };
    argp_err_exit_status = LDR_EXIT_USAGE;
    if (argp_parse(&argp, argc, argv, 0, NULL, &relocs) != 0)
        return LDR_EXIT_USAGE;
    struct session session;
    explain_begin(&session, &relocs.explain, relocs.program);
    session_load(&session);
    session_place(&session, true);
    u64 undefined = 0, shown = list_all(&relocs, &session, &undefined);
    bool filtered = relocs.object || relocs.symbol || relocs.section || relocs.type || relocs.has_page;
    if (!shown && filtered)
        tell_unmatched(&relocs, &session);
    return explain_end(&session, !shown && filtered ? LDR_EXIT_NO_TARGET : undefined ? LDR_EXIT_PARTIAL : LDR_EXIT_OK);
}
