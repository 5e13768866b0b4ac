/* names.c - looks for a name the slow way, past hash tables: what lost is told, not only what won. */
#include "names.h"
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

u32 names_offsets(const struct image *image, const char *name, u32 *offsets) {
    size_t len = strlen(name) + 1;
    u32 count = 0;
    for (const char *at = image->strtab, *end = at + image->strtab_len; at && at < end && count < NAME_OFFSETS_MAX;) {
        const char *hit = memmem(at, (size_t)(end - at), name, len);
        if (!hit)
            break;
        offsets[count++] = (u32)(hit - image->strtab);
        at = hit + 1;
    }
    return count;
}

void names_each(const struct object *object, const char *name, const struct symbol_want *want, void (*visit)(const struct definition *, void *),
                void *arg) {
    const struct image *image = &object->image;
    u32 offsets[NAME_OFFSETS_MAX], count = image->symtab ? names_offsets(image, name, offsets) : 0;
    u64 symbols = count ? image_symbol_count(image) : 0;
    for (u64 i = 1; i < symbols && i < image->sym_limit; i++) {
        const Elf64_Sym *entry = &image->symtab[i];
        for (u32 o = 0; o < count; o++)
            if (entry->st_name == offsets[o]) {
                struct definition one = { (u32)i, entry, reference_version(object, (u32)i), image->versym && (image->versym[i] & 0x8000),
                                          want ? image_symbol_answers(image, (u32)i, want) : SYMBOL_OTHER_NAME };
                visit(&one, arg);
                break;
            }
    }
}

const char *names_local(const struct node *node, const char *name) {
    const char *found = NULL;
    if (!node->file || elf_version(EV_CURRENT) == EV_NONE)
        return NULL;
    Elf *elf = elf_memory((char *)node->file->bytes, node->file->len);
    for (Elf_Scn *section = NULL; elf && !found && (section = elf_nextscn(elf, section));) {
        GElf_Shdr header;
        Elf_Data *data;
        if (!gelf_getshdr(section, &header) || header.sh_type != SHT_SYMTAB || !(data = elf_getdata(section, NULL)))
            continue;
        GElf_Sym symbol;
        for (int i = 1; gelf_getsym(data, i, &symbol); i++) {
            const char *have = symbol.st_shndx != SHN_UNDEF ? elf_strptr(elf, header.sh_link, symbol.st_name) : NULL;
            u32 visibility = GELF_ST_VISIBILITY(symbol.st_other);
            if (!have || strcmp(have, name) != 0 || (GELF_ST_TYPE(symbol.st_info) != STT_FUNC && GELF_ST_TYPE(symbol.st_info) != STT_OBJECT))
                continue;
            found = visibility == STV_HIDDEN || visibility == STV_INTERNAL ? "hidden" : GELF_ST_BIND(symbol.st_info) == STB_LOCAL ? "local" : NULL;
            if (found)
                break;
        }
    }
    elf_end(elf);
    return found;
}

static char *demangled(const char *name, bool parameters) {
    bool mangled = name[0] == '_' && name[1] == 'Z' && strlen(name) < MANGLED_MAX;
    return mangled ? cplus_demangle_v3(name, DMGL_ANSI | (parameters ? DMGL_PARAMS : 0)) : NULL;
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

char *names_mangled(const struct session *session, const char *readable, u32 *others) {
    char *identifier = identifier_of(readable), *found = NULL;
    *others = 0;
    for (const struct object *object = session->first; object; object = object->next) {
        const struct image *image = &object->image;
        /* Strings, not symbols: a program without exports does not tell how many symbols it has. */
        for (const char *at = image->strtab, *end = at + image->strtab_len; at && at < end; at += strlen(at) + 1) {
            if (at[0] != '_' || at[1] != 'Z' || !strstr(at, identifier) || (found && strcmp(found, at) == 0) || !reads_as(at, readable))
                continue;
            if (found)
                ++*others;
            else
                found = must_format("%s", at);
        }
    }
    free(identifier);
    return found;
}
