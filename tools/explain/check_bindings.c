/* check_bindings.c - every reference of a session looked up once: who answers, who else would have, who answers though not needed. */
#include "../ldr.h"
#include "check.h"
#include "hint.h"
#include "names.h"
#include "refusal.h"
#include "relocs.h"
#include "usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Missing symbols of one object: so many are looked for elsewhere too, which is slow; so many are told one by one. */
enum { SYMBOLS_HINTED = 20, SYMBOLS_TOLD = 1000 };
enum { NAMES_KEPT = 5 };

/* Symbols with one story, told as one finding: a pair of objects and a rule. */
struct group {
    enum check_rule rule;
    const struct node *about, *other;
    u32 count;
    char *names[NAMES_KEPT];
    struct group *next;
};
struct pass {
    const struct check *check;
    struct object *object;            /* whose relocations are walked */
    struct usage usage;               /* a symbol counts once, however many places it has */
    u64 *copies;                      /* places of the program's copy relocations, ascending: a copy may have several names */
    u64 copy_count, copy_room;
    u32 *order;                       /* by node number: when it is relocated */
    bool libraries_missing;
    u32 last_symbol, last_classes;
    int got;                          /* of binding that one, and what it found */
    struct symbol_want want;
    struct binding found;
    u32 told;                         /* missing symbols of this object */
    u64 *seen;                        /* set of what was added to groups: a symbol is counted once, however many refer to it */
    u64 seen_count, seen_room;        /* room: a power of two */
    struct group *groups, *last_group;
    struct refusal *gone;             /* versions that libraries lack and gone_of needs */
    u32 gone_count;
    const struct object *gone_of;
};

static struct group *group_of(struct pass *pass, enum check_rule rule, const struct node *about, const struct node *other) {
    struct group *group = pass->last_group;
    if (group && group->rule == rule && group->about == about && group->other == other)
        return group;
    for (group = pass->groups; group; group = group->next)
        if (group->rule == rule && group->about == about && group->other == other)
            return pass->last_group = group;
    group = must_alloc(1, sizeof *group);
    *group = (struct group){ .rule = rule, .about = about, .other = other, .next = pass->groups };
    return pass->last_group = pass->groups = group;
}

/* False: it was there. */
static bool see(struct pass *pass, u64 key) {
    if (pass->seen_count * 2 >= pass->seen_room) {
        u64 *old = pass->seen, room = pass->seen_room;
        pass->seen_room = room ? room * 2 : 256;
        pass->seen = must_alloc(pass->seen_room, sizeof *pass->seen);
        pass->seen_count = 0;
        for (u64 i = 0; i < room; i++)
            if (old[i])
                see(pass, old[i]);
        free(old);
    }
    u64 at = key * 0x9e3779b97f4a7c15ull >> 20 & (pass->seen_room - 1);
    for (; pass->seen[at]; at = (at + 1) & (pass->seen_room - 1))
        if (pass->seen[at] == key)
            return false;
    pass->seen[at] = key;
    pass->seen_count++;
    return true;
}

/* `symbol`: the definition, or the reference where there is none. */
static void group_add(struct pass *pass, enum check_rule rule, const struct node *about, const struct node *other, const Elf64_Sym *symbol, const char *name) {
    struct group *group = group_of(pass, rule, about, other);
    /* A symbol counts once per group; keys that collide by chance would cost one count. */
    if (!see(pass, ((u64)symbol << 8 | (u64)rule) ^ (u64)group << 4))
        return;
    if (group->count < NAMES_KEPT)
        group->names[group->count] = names_readable(name);
    group->count++;
}

static void put_names(const struct group *group, struct lines *lines) {
    for (u32 i = 0; i < group->count && i < NAMES_KEPT; i++)
        lines_add(lines, "%s", group->names[i]);
    if (group->count > NAMES_KEPT)
        lines_add(lines, "... and %u more", group->count - NAMES_KEPT);
}

/* Asked once per object, not per symbol: a file may have thousands of both. */
static bool is_gone(struct pass *pass, const char *version) {
    if (pass->gone_of != pass->object) {
        free(pass->gone);
        pass->gone = versions_gone(pass->check->session, pass->object, &pass->gone_count);
        pass->gone_of = pass->object;
    }
    for (u32 i = 0; i < pass->gone_count; i++)
        if (strcmp(pass->gone[i].version, version) == 0)
            return true;
    return false;
}

/* ---- undefined --------------------------------------------------------------------------------------------------------- */

static void undefined(struct pass *pass, const struct reloc_record *record, const struct symbol_want *want) {
    const struct check *check = pass->check;
    const struct node *node = object_node(pass->object);
    if (want->version && is_gone(pass, want->version->name))
        return;                       /* told with the version, which ends the start before this is looked up */
    if (check->is_library || pass->libraries_missing) {
        group_add(pass, RULE_UNRESOLVED, node, NULL, &pass->object->image.symtab[record->symbol], want->name);
        return;
    }
    if (pass->told >= SYMBOLS_TOLD) {
        group_add(pass, RULE_MISSING_SYMBOL, node, NULL, &pass->object->image.symtab[record->symbol], want->name);
        return;
    }
    char *readable = names_readable(want->name), *subject = want->version ? must_format("%s@%s", want->name, want->version->name) : must_format("%s", want->name);
    if (!findings_known(check->findings, RULE_MISSING_SYMBOL, check->root, node_path(node), subject)) {
        struct lines lines = { 0 };
        bool lazy = relocs_lazy(pass->object, record);
        lines_add(&lines, "%s at %#llx", arch_reloc_name(record->type), (unsigned long long)record->place);
        char *advice = pass->told < SYMBOLS_HINTED ? hint_symbol(check->session, want->name, want->version, &lines)
                                                   : must_format("Ask for it by itself: ldr why %s %s", check->root, subject);
        findings_add(check->findings, RULE_MISSING_SYMBOL, SEVERITY_ERROR, check->root, node_path(node), subject,
                     must_format("nobody defines %s%s%s: the program ends %s", readable, want->version ? "@" : "", want->version ? want->version->name : "", lazy ? "at the first call of it" : "at its start"), lines.text, advice);
        pass->told++;
    }
    free(subject);
    free(readable);
}

/* ---- several definitions ----------------------------------------------------------------------------------------------- */

static bool defines_versions(const struct object *object, const char *prefix) {
    for (u32 i = 0; i < object->image.version_count; i++) {
        const struct version *version = &object->image.version[i];
        if (version->name && !version->needed && str_starts(version->name, prefix))
            return true;
    }
    return false;
}

/* Parts of the C library answer for each other by design; their version names tell them. */
static bool is_c_library(const struct object *object) { return defines_versions(object, "GLIBC_"); }

/* Libraries whose functions programs may replace by rule: malloc and its family (glibc manual, "Replacing malloc"), operator new and
 * delete (C++ standard, "Replacement functions"). */
static bool is_runtime(const struct object *object) { return is_c_library(object) || defines_versions(object, "GLIBCXX_"); }

/* Entities that C++ compilers put into every object that uses them; type information and its names are the same everywhere. What is declared in a
 * function (_ZZ, its guard _ZGVZ) and exported all the same belongs to an inline one or a template: that of another has no linkage. */
static bool is_vague(const char *name, const Elf64_Sym *sym) {
    u32 bind = ELF64_ST_BIND(sym->st_info);
    return str_starts(name, "_Z") && (bind == STB_WEAK || bind == STB_GNU_UNIQUE || str_starts(name, "_ZTS") || str_starts(name, "_ZTI") ||
                                      str_starts(name, "_ZZ") || str_starts(name, "_ZGVZ"));
}

/* Every link editor defines these in every output. */
static bool is_link_editors(const char *name) {
    static const char names[] = "_init\0_fini\0_edata\0edata\0_end\0end\0__bss_start\0__data_start\0data_start\0_IO_stdin_used\0_start\0__dso_handle\0";
    for (const char *at = names; *at; at += strlen(at) + 1)
        if (strcmp(at, name) == 0)
            return true;
    return false;
}

static int compare_places(const void *a, const void *b) {
    u64 x = *(const u64 *)a, y = *(const u64 *)b;
    return x < y ? -1 : x > y;
}

static bool is_copied(const struct pass *pass, const struct binding *found) {
    return found->object->is_program && found->symbol->st_shndx != SHN_UNDEF && pass->copy_count &&
           bsearch(&found->symbol->st_value, pass->copies, pass->copy_count, sizeof *pass->copies, compare_places);
}

static void several(struct pass *pass, const struct symbol_want *asked, const struct binding *first) {
    const struct scope *global = &pass->check->session->global;
    u32 position = object_node(first->object)->closure_number;
    if (!position || first->symbol->st_shndx == SHN_UNDEF || is_link_editors(asked->name))
        return;
    struct symbol_want want = symbol_want_exact(asked);
    struct binding second;
    want.classes |= CLASS_PLT;        /* a PLT entry is no second definition */
    if (!scope_find(global, position, &want, NULL, &second))
        return;
    const struct node *winner = object_node(first->object), *loser = object_node(second.object);
    bool data = ELF64_ST_TYPE(first->symbol->st_info) == STT_OBJECT;
    if (is_vague(want.name, first->symbol) && is_vague(want.name, second.symbol)) {
        if (data && first->symbol->st_size != second.symbol->st_size)
            group_add(pass, RULE_ODR, winner, loser, first->symbol, want.name);
        return;
    }
    if (is_copied(pass, first) || (is_c_library(first->object) && is_c_library(second.object)))
        return;
    bool own = second.object == pass->object;
    group_add(pass, own && !is_runtime(second.object) ? RULE_CLASH : RULE_INTERPOSED, winner, loser, first->symbol, want.name);
}

/* ---- damaged tables ---------------------------------------------------------------------------------------------------- */

static void bad_record(const struct pass *pass, const struct reloc_record *record, int code, u64 found, u64 expected) {
    const struct node *node = object_node(pass->object);
    struct defect defect = { .code = code, .found = found, .expected = expected, .place = record->place, .has_values = true };
    char *why = defect_text(&defect);
    struct lines lines = { 0 };
    lines_add(&lines, "entry %llu of %s", (unsigned long long)record->number, reloc_table_name(record->table));
    findings_add(pass->check->findings, RULE_MALFORMED, SEVERITY_ERROR, pass->check->root, node_path(node), "relocations", why, lines.text,
                 must_format("Replace the file: its relocations are damaged."));
}

/* A distance of 32 bits to address 0 (no symbol, or a weak one that nobody defines) reaches from no library. */
static void far_from_zero(const struct pass *pass, const struct reloc_record *record) {
    if (record->kind.class == RELOC_PC && record->kind.width == 4 && pass->object->image.type == ET_DYN)
        bad_record(pass, record, LDR_E_RELOC_OVERFLOW, 0, record->kind.width);
}

/* What ends relocation in run/relocate.c, and what a lazily bound slot is never asked. */
static bool is_good_record(const struct pass *pass, const struct reloc_record *record) {
    const struct image *image = &pass->object->image;
    if (record->kind.class == RELOC_NONE)
        return true;
    if (record->kind.class == RELOC_UNKNOWN) {
        bad_record(pass, record, LDR_E_RELOC_TYPE, record->type, ARCH_RELOC_TYPES - 1);
        return false;
    }
    if (!plan_place_fits(&image->plan, record->place, record->kind.width ? record->kind.width : 1, image->textrel)) {
        bool inside = record->place >= image->plan.lo_page && record->place < image->plan.hi_page;
        bad_record(pass, record, inside ? LDR_E_TEXTREL : LDR_E_RELOC_PLACE, record->place, image->writable_lo);
        return false;
    }
    return true;
}

/* ---- copies and indirect functions ------------------------------------------------------------------------------------- */

/* In a segment that is not writable, or is sealed after relocation: two copies of it never differ. */
static bool is_constant(const struct binding *found) {
    const struct image *image = &found->object->image;
    u64 at = found->symbol->st_value;
    for (u32 i = 0; i < image->plan.seg_count; i++)
        if (at >= image->plan.seg[i].vaddr && at < image->plan.seg[i].mem_end && !(image->plan.seg[i].prot & PF_W))
            return true;
    return image->relro_len && at >= image->relro_vaddr && at - image->relro_vaddr < image->relro_len;
}

static bool in_memory(const struct image *image, u64 at, u64 len) {
    for (u32 i = 0; i < image->plan.seg_count; i++)
        if (at >= image->plan.seg[i].vaddr && at < image->plan.seg[i].mem_end && len <= image->plan.seg[i].mem_end - at)
            return true;
    return false;
}

static void copied(struct pass *pass, const struct reloc_record *record, const struct symbol_want *want, const struct binding *found) {
    const struct check *check = pass->check;
    const struct node *node = object_node(pass->object), *owner = object_node(found->object);
    u64 mine = pass->object->image.symtab[record->symbol].st_size, theirs = found->symbol->st_size;
    u64 len = mine < theirs ? mine : theirs;
    if (!plan_place_fits(&pass->object->image.plan, record->place, len, false) || !in_memory(&found->object->image, found->symbol->st_value, len)) {
        bad_record(pass, record, LDR_E_RELOC_SIZE, len, mine);
        return;
    }
    if (!want->name)
        return;                       /* of itself, bound locally */
    if (mine != theirs) {
        struct lines lines = { 0 };
        lines_add(&lines, "%s in %s: %llu bytes; in %s: %llu bytes", want->name, node_path(node), (unsigned long long)mine, node_path(owner), (unsigned long long)theirs);
        findings_add(check->findings, RULE_COPY_SIZE, theirs > mine ? SEVERITY_ERROR : SEVERITY_WARNING, check->root, node_path(node), want->name,
                     must_format("the program's copy of %s is %s than the library's: %s", want->name, theirs > mine ? "smaller" : "larger",
                                 theirs > mine ? "the library writes past its end" : "its end is never filled"),
                     lines.text, must_format("Link the program anew with this %s.", node_path(owner)));
    }
    if (ELF64_ST_VISIBILITY(found->symbol->st_other) == STV_PROTECTED || found->object->image.symbolic)
        group_add(pass, is_constant(found) ? RULE_COPY_CONSTANT : RULE_COPY_PROTECTED, node, owner, found->symbol, want->name);
}

static void relocated_later(struct pass *pass, const struct symbol_want *want, const struct binding *found) {
    const struct check *check = pass->check;
    const struct node *node = object_node(pass->object), *owner = object_node(found->object);
    if (owner == node || pass->order[owner->number] <= pass->order[node->number])
        return;
    struct lines lines = { 0 };
    lines_add(&lines, "%s is relocated as number %u, %s as number %u", node_path(node), pass->order[node->number], node_path(owner), pass->order[owner->number]);
    findings_add(check->findings, RULE_IFUNC_ORDER, SEVERITY_WARNING, check->root, node_path(node), want->name,
                 must_format("binding to the indirect function %s runs code of %s before that is relocated", want->name, node_path(owner)), lines.text,
                 must_format("Link %s with %s, so that it is relocated first.", node_path(node), node_path(owner)));
}

/* ---- the walk ---------------------------------------------------------------------------------------------------------- */

/* What the symbol is bound to, and what is wrong with it wherever it stands. */
static void bind(struct pass *pass, const struct reloc_record *record) {
    pass->last_symbol = record->symbol;
    pass->last_classes = reference_classes(record->kind);
    pass->got = session_bind(pass->check->session, pass->object, record->symbol, record->kind, &pass->want, &pass->found);
    if (pass->got == REFERENCE_UNDEFINED)
        undefined(pass, record, &pass->want);
    if (pass->got == -LDR_E_RELOC_SYMBOL)
        bad_record(pass, record, LDR_E_RELOC_SYMBOL, record->symbol, pass->object->image.sym_limit);
    if (pass->got == -LDR_E_STRING)
        bad_record(pass, record, LDR_E_STRING, pass->object->image.symtab[record->symbol].st_name, pass->object->image.strtab_len);
    if (pass->got == -LDR_E_RESOLVER)
        bad_record(pass, record, LDR_E_RESOLVER, pass->found.symbol->st_value, 0);
}

/* What its being bound to that means, which is the same wherever it stands. */
static void bound(struct pass *pass, const struct reloc_record *record) {
    const struct session *session = pass->check->session;
    const struct binding *found = &pass->found;
    usage_add(&pass->usage, object_node(pass->object), object_node(found->object));
    if (!pass->want.name)
        return;                       /* bound locally */
    if (record->kind.class != RELOC_COPY && pass->object->scope[0] == &session->global)
        several(pass, &pass->want, found);
    if (ELF64_ST_TYPE(found->symbol->st_info) == STT_GNU_IFUNC && found->symbol->st_shndx != SHN_UNDEF)
        relocated_later(pass, &pass->want, found);
}

/* Symbols are bound once for all the records in a row that refer to them; each record is looked at by its own place and type. */
static bool look_up(const struct reloc_record *record, void *arg) {
    struct pass *pass = arg;
    if (!is_good_record(pass, record))
        return false;                 /* the linker ends here too */
    if (record->kind.class == RELOC_RELATIVE || record->kind.class == RELOC_IRELATIVE)
        return true;                  /* a symbol there would be ignored */
    if (!record->symbol)
        far_from_zero(pass, record);
    if (!record->symbol)
        return true;
    bool again = record->symbol == pass->last_symbol && reference_classes(record->kind) == pass->last_classes;
    if (!again)
        bind(pass, record);
    if (pass->got == REFERENCE_WEAK)
        far_from_zero(pass, record);
    if (pass->got != 0)
        return true;
    const struct binding *found = &pass->found;
    /* 32 bits cannot hold an address of a library, wherever that is mapped. */
    if (record->kind.class == RELOC_SYMBOL && record->kind.width == 4 && found->object->image.type == ET_DYN && found->symbol->st_shndx != SHN_ABS)
        bad_record(pass, record, LDR_E_RELOC_OVERFLOW, found->symbol->st_value, record->kind.width);
    if (record->kind.class == RELOC_COPY)
        copied(pass, record, &pass->want, found);
    if (!again)
        bound(pass, record);
    return true;
}

static bool note_copied(const struct reloc_record *record, void *arg) {
    struct pass *pass = arg;
    if (record->kind.class != RELOC_COPY)
        return true;
    if (pass->copy_count == pass->copy_room)
        pass->copies = must_grow(pass->copies, pass->copy_room = pass->copy_room * 2 + 16, sizeof *pass->copies);
    pass->copies[pass->copy_count++] = record->place;
    return true;
}

/* libc first, then what is needed before its needers: relocate_everything in start/main.c. */
static u32 *relocation_order(const struct session *session) {
    u32 *order = must_alloc(session->count, sizeof *order), at = 1;
    for (u32 i = session->global.count; i-- > 0;) {
        const struct object *object = session->program->object.init_order[i];
        bool libc = object->image.soname && str_equal(object->image.soname, "libc.so.6");
        order[object_node(object)->number] = libc ? 0 : at++;
    }
    return order;
}

/* ---- needs ------------------------------------------------------------------------------------------------------------- */

/* Marks what `object` reaches by its needs: visited bytes by node number. */
static void reach(const struct session *session, struct object *object, u8 *reached, struct object **stack) {
    u32 depth = 0;
    memset(reached, 0, session->count);
    stack[depth++] = object;
    reached[object_node(object)->number] = 1;
    while (depth) {
        struct object *at = stack[--depth];
        for (u32 i = 0; i < at->needed_count + at->filtee_count; i++) {
            struct object *next = i < at->needed_count ? at->needed[i] : at->filtee[i - at->needed_count];
            if (!reached[object_node(next)->number]) {
                reached[object_node(next)->number] = 1;
                stack[depth++] = next;
            }
        }
    }
}

static void check_unused(struct pass *pass, const struct node *node) {
    const struct check *check = pass->check;
    for (const struct request *request = node->requests; request; request = request->next_of_by)
        if (request->kind == REQUEST_NEEDED && !request->result->object.is_missing && !node_is_linker(request->result) &&
            !usage_of(&pass->usage, node, request->result) && !findings_known(check->findings, RULE_UNUSED, check->root, node_path(node), request->name))
            findings_add(check->findings, RULE_UNUSED, SEVERITY_NOTE, check->root, node_path(node), request->name,
                         must_format("needs %s, but none of its references binds there", request->name), NULL,
                         must_format("Link with --as-needed, unless it is needed for its constructors."));
}

/* `reached` marks what the object brings along by its needs. */
static void check_underlinked(struct pass *pass, const struct node *node, struct object *const *objects, const u8 *reached) {
    const struct check *check = pass->check;
    for (const struct use *use = pass->usage.of[node->number]; use; use = use->next) {
        const struct object *other = objects[use->provider];
        const struct node *to = object_node(other);
        if (reached[to->number] || other->is_program || other->found_by == FOUND_PRELOAD ||
            findings_known(check->findings, RULE_UNDERLINKED, check->root, node_path(node), node_name(to)))
            continue;
        struct lines lines = { 0 };
        lines_add(&lines, "%u references bind to %s, which is there because %s needs it", use->references, node_path(to),
                  to->object.loader ? node_path(object_node(to->object.loader)) : "a preload list");
        findings_add(check->findings, RULE_UNDERLINKED, SEVERITY_NOTE, check->root, node_path(node), node_name(to),
                     must_format("uses %s without needing it: it works only in programs that bring it along", node_name(to)), lines.text,
                     must_format("Link it with %s (ld -z defs finds these).", node_name(to)));
    }
}

static void check_needs(struct pass *pass) {
    const struct session *session = pass->check->session;
    u8 *reached = must_alloc(session->count, 1);
    struct object **stack = must_alloc(session->count, sizeof *stack), **objects = must_alloc(session->count, sizeof *objects);
    for (struct object *object = session->first; object; object = object->next)
        objects[object_node(object)->number] = object;
    for (struct object *object = session->first; object; object = object->next) {
        const struct node *node = object_node(object);
        check_unused(pass, node);
        /* The linker's own references are settled by itself. */
        if (object->is_program || object->is_missing || node_is_linker(node) || !pass->usage.of[node->number])
            continue;
        reach(session, object, reached, stack);
        check_underlinked(pass, node, objects, reached);
    }
    free(reached);
    free(stack);
    free(objects);
}

/* ---- groups as findings ------------------------------------------------------------------------------------------------ */

static void tell_group(const struct pass *pass, const struct group *group) {
    const struct check *check = pass->check;
    struct findings *findings = check->findings;
    const char *about = node_path(group->about), *other = group->other ? node_path(group->other) : "";
    const char *ending = group->count == 1 ? "" : "s";
    struct lines lines = { 0 };
    if (findings_known(findings, group->rule, check->root, about, other))
        return;
    put_names(group, &lines);
    switch (group->rule) {
    case RULE_UNRESOLVED:
        findings_add(findings, group->rule, SEVERITY_NOTE, check->root, about, other,
                     pass->libraries_missing ? must_format("%u symbol%s undefined while libraries are missing", group->count, ending)
                                             : must_format("%u symbol%s defined neither by it nor by what it needs: whoever loads it must have %s", group->count, ending,
                                                           group->count == 1 ? "it" : "them"),
                     lines.text, must_format("Right for plugins; else link it with the libraries that define them (ld -z defs)."));
        break;
    case RULE_MISSING_SYMBOL:
        findings_add(findings, group->rule, SEVERITY_ERROR, check->root, about, other, must_format("nobody defines %u more symbol%s", group->count, ending), lines.text,
                     must_format("Link it with the libraries that define them (ld -z defs finds these)."));
        break;
    case RULE_CLASH:
        findings_add(findings, group->rule, SEVERITY_WARNING, check->root, about, other,
                     must_format("%u symbol%s of %s %s answered by %s, also for %s itself", group->count, ending, other, group->count == 1 ? "is" : "are", about, other),
                     lines.text, must_format("Hide what is not meant to be shared (-fvisibility=hidden, a version script), or link %s with -Bsymbolic.", other));
        break;
    case RULE_ODR:
        findings_add(findings, group->rule, SEVERITY_WARNING, check->root, about, other,
                     must_format("%u C++ object%s with another size in %s: the two were compiled from different definitions", group->count, ending, other), lines.text,
                     must_format("Build both from the same headers and options."));
        break;
    case RULE_COPY_PROTECTED:
    case RULE_COPY_CONSTANT:
        lines_add(&lines, "R_X86_64_COPY in the program; %s", group->other->object.image.symbolic ? "the library has DT_SYMBOLIC" : "the library's definition is protected");
        findings_add(findings, group->rule, rule_severity(group->rule), check->root, about, other,
                     must_format("%u variable%s of %s exist%s twice: the program uses its copy, the library its own%s", group->count, ending, other, group->count == 1 ? "s" : "",
                                 group->rule == RULE_COPY_CONSTANT ? " (constants: only their addresses differ)" : ""),
                     lines.text, must_format("Compile the program with -fPIE and -mno-direct-extern-access, or reach variables through functions."));
        break;
    default:
        findings_add(findings, group->rule, SEVERITY_NOTE, check->root, about, other,
                     must_format("%u symbol%s that %s defines too: %s stands first and answers", group->count, ending, other, about), lines.text,
                     must_format("Fine where it is meant (malloc replacements, wrappers)."));
    }
}

void check_bindings(const struct check *check) {
    const struct session *session = check->session;
    struct pass pass = { .check = check, .usage = usage_new(session), .order = relocation_order(session) };
    relocs_each(&session->program->object, note_copied, &pass);
    if (pass.copy_count)
        qsort(pass.copies, pass.copy_count, sizeof *pass.copies, compare_places);
    for (const struct request *request = session->requests; request; request = request->next)
        pass.libraries_missing |= request->kind != REQUEST_PRELOAD && request->result && request->result->object.is_missing;
    for (struct object *object = session->first; object; object = object->next) {
        pass.object = object;
        pass.last_symbol = pass.told = 0;
        relocs_each(object, look_up, &pass);
    }
    check_needs(&pass);
    for (struct group *group = pass.groups, *next; group; group = next) {
        next = group->next;
        tell_group(&pass, group);
        for (u32 i = 0; i < group->count && i < NAMES_KEPT; i++)
            free(group->names[i]);
        free(group);
    }
    usage_free(&pass.usage, session);
    free(pass.order);
    free(pass.gone);
    free(pass.copies);
    free(pass.seen);
}
