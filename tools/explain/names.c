/* names.c - looks for a name the slow way, past hash tables: what lost is told, not only what won. */
#include "names.h"
#include "../debuginfo/debuginfo.h"
#include "../ldr.h"

#include <gelf.h>
#include <libelf.h>
#include <libiberty/demangle.h>
#include <stdlib.h>
#include <string.h>

enum { MANGLED_MAX = 4096 };          /* longer names are left as they are: the demangler's time grows faster than its input */

struct symbol_want names_want(const char *name, const struct version *version) {
    struct symbol_want want = { .name = name, .version = version };
    want.gnu = gnu_hash_len(name, &want.len);
    return want;
}

const char *verdict_text(enum symbol_verdict verdict) {
    switch (verdict) {
    case SYMBOL_ANSWERS: return "answers";
    case SYMBOL_ANSWERS_ALONE: return "answers if it is the only version there";
    case SYMBOL_REFUSED_UNDEFINED: return "undefined here";
    case SYMBOL_REFUSED_NO_VALUE: return "defined without an address";
    case SYMBOL_REFUSED_TYPE: return "no function or variable";
    case SYMBOL_REFUSED_NO_TLS: return "thread-local, but the object has no thread storage";
    case SYMBOL_REFUSED_VISIBILITY: return "hidden: visible inside its own object only";
    case SYMBOL_REFUSED_BINDING: return "local to its object";
    case SYMBOL_REFUSED_VERSION: return "another version";
    case SYMBOL_REFUSED_UNVERSIONED: return "without a version, and the reference insists on one";
    case SYMBOL_REFUSED_NOT_DEFAULT: return "not the default version, and the reference names none";
    case SYMBOL_OTHER_NAME: break;
    }
    return "";
}

struct name_offsets names_offsets(const struct image *image, const char *name) {
    size_t len = strlen(name) + 1;
    struct name_offsets offsets = { 0 };
    u32 room = 0;
    for (const char *at = image->strtab, *end = at + image->strtab_len; at && at < end;) {
        const char *hit = memmem(at, (size_t)(end - at), name, len);
        if (!hit || hit - image->strtab > UINT32_MAX)
            break;
        if (offsets.count == room)
            offsets.at = must_grow(offsets.at, room = room * 2 + 16, sizeof *offsets.at);
        offsets.at[offsets.count++] = (u32)(hit - image->strtab);
        at = hit + 1;
    }
    return offsets;
}

bool names_offset_is(const struct name_offsets *offsets, u32 offset) {
    u32 lo = 0, hi = offsets->count;
    while (lo < hi) {
        u32 mid = lo + (hi - lo) / 2;
        if (offsets->at[mid] < offset)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < offsets->count && offsets->at[lo] == offset;
}

u32 *names_symbols(const struct object *object, const struct name_offsets *offsets, u32 *count) {
    const struct image *image = &object->image;
    u64 symbols = offsets->count && image->symtab ? image_symbol_count(image) : 0;
    u32 *list = NULL, room = 0;
    *count = 0;
    for (u64 i = 1; i < symbols && i < image->sym_limit; i++) {
        if (!names_offset_is(offsets, image->symtab[i].st_name))
            continue;
        if (*count == room)
            list = must_grow(list, room = room * 2 + 8, sizeof *list);
        list[(*count)++] = (u32)i;
    }
    return list;
}

struct definition names_judge(const struct object *object, u32 symbol, const struct symbol_want *want) {
    const struct image *image = &object->image;
    return (struct definition){ symbol, &image->symtab[symbol], reference_version(object, symbol), image->versym && (image->versym[symbol] & 0x8000),
                                want ? image_symbol_answers(image, symbol, want) : SYMBOL_OTHER_NAME };
}

void names_each(const struct object *object, const char *name, const struct symbol_want *want, void (*visit)(const struct definition *, void *),
                void *arg) {
    struct name_offsets offsets = names_offsets(&object->image, name);
    u32 count, *symbols = names_symbols(object, &offsets, &count);
    for (u32 i = 0; i < count; i++) {
        struct definition one = names_judge(object, symbols[i], want);
        visit(&one, arg);
    }
    free(symbols);
    free(offsets.at);
}

static const char *how_bound(const GElf_Sym *symbol) {
    u32 visibility = GELF_ST_VISIBILITY(symbol->st_other);
    return visibility == STV_HIDDEN || visibility == STV_INTERNAL ? "hidden" : GELF_ST_BIND(symbol->st_info) == STB_LOCAL ? "local" : "not exported";
}

static bool takes_memory(const GElf_Sym *symbol) {
    u32 type = GELF_ST_TYPE(symbol->st_info);
    return symbol->st_shndx != SHN_UNDEF && type != STT_SECTION && type != STT_FILE;
}

/* Every definition of the full symbol table, until `visit` says no. */
static void full_each(const struct node *node, bool (*visit)(const char *name, const GElf_Sym *symbol, void *arg), void *arg) {
    if (!node->file || elf_version(EV_CURRENT) == EV_NONE)
        return;
    Elf *elf = elf_memory((char *)node->file->bytes, node->file->len);
    bool go_on = true;
    for (Elf_Scn *section = NULL; elf && go_on && (section = elf_nextscn(elf, section));) {
        GElf_Shdr header;
        Elf_Data *data;
        if (!gelf_getshdr(section, &header) || header.sh_type != SHT_SYMTAB || !(data = elf_getdata(section, NULL)))
            continue;
        GElf_Sym symbol;
        for (int i = 1; go_on && gelf_getsym(data, i, &symbol); i++) {
            const char *have = takes_memory(&symbol) ? elf_strptr(elf, header.sh_link, symbol.st_name) : NULL;
            go_on = !have || visit(have, &symbol, arg);
        }
    }
    elf_end(elf);
}

struct full_search {
    const char *name;
    struct full_symbol *out;
};

static bool keep_best(const char *name, const GElf_Sym *symbol, void *arg) {
    struct full_search *search = arg;
    if (strcmp(name, search->name) != 0)
        return true;
    bool global = GELF_ST_BIND(symbol->st_info) != STB_LOCAL;
    if (!search->out->how || global)
        *search->out = (struct full_symbol){ how_bound(symbol), symbol->st_value, symbol->st_size,
                                             GELF_ST_TYPE(symbol->st_info) == STT_FUNC || GELF_ST_TYPE(symbol->st_info) == STT_GNU_IFUNC };
    return !global;
}

bool names_full(const struct node *node, const char *name, struct full_symbol *out) {
    struct full_search search = { name, out };
    *out = (struct full_symbol){ 0 };
    full_each(node, keep_best, &search);
    return out->how != NULL;
}

static char *demangled(const char *name, bool parameters) {
    bool mangled = name[0] == '_' && name[1] == 'Z' && strlen(name) < MANGLED_MAX;
    return mangled ? demangle_as(name, DMGL_ANSI | (parameters ? DMGL_PARAMS : 0)) : NULL;
}

char *names_readable(const char *name) {
    char *plain = demangled(name, true), *text = plain ? must_format("%s (%s)", plain, name) : must_format("%s", name);
    free(plain);
    return text;
}

static bool reads_as(const char *name, const char *readable) {
    bool same = false;
    for (int parameters = 0; parameters < 2 && !same; parameters++) {
        char *plain = demangled(name, parameters);
        same = plain && strcmp(plain, readable) == 0;
        free(plain);
    }
    return same;
}

/* The last plain identifier of a readable name: a mangled one holds it as it is, so most need not be demangled. Operators have other
 * names there; "" is in every name. */
static char *identifier_of(const char *readable) {
    if (strstr(readable, "operator"))
        return must_format("%s", "");
    size_t end = strcspn(readable, "(<");
    while (end && (readable[end - 1] == ' ' || readable[end - 1] == '~'))
        end--;
    size_t start = end;
    while (start && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_", readable[start - 1]))
        start--;
    return must_format("%.*s", (int)(end - start), readable + start);
}

struct readable_search {
    const char *readable, *identifier;
    char *found;
    u32 others;
};

static void judge_readable(struct readable_search *search, const char *name) {
    if (name[0] != '_' || name[1] != 'Z' || !strstr(name, search->identifier) || (search->found && strcmp(search->found, name) == 0) || !reads_as(name, search->readable))
        return;
    if (search->found)
        search->others++;
    else
        search->found = must_format("%s", name);
}

static bool judge_full(const char *name, const GElf_Sym *symbol, void *arg) {
    (void)symbol;
    judge_readable(arg, name);
    return true;
}

char *names_mangled(const struct session *session, const char *readable, u32 *others) {
    char *identifier = identifier_of(readable);
    struct readable_search search = { .readable = readable, .identifier = identifier };
    for (const struct object *object = session->first; object; object = object->next) {
        const struct image *image = &object->image;
        /* Strings, not symbols: a program without exports does not tell how many symbols it has. */
        for (const char *at = image->strtab, *end = at + image->strtab_len; at && at < end; at += strlen(at) + 1)
            judge_readable(&search, at);
    }
    /* What the program does not export is in its full table only. */
    if (!search.found)
        full_each(session->program, judge_full, &search);
    free(identifier);
    *others = search.others;
    return search.found;
}
