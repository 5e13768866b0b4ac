/* names.c - looks for a name the slow way, past hash tables: what lost is told, not only what won. */
#include "names.h"

#include <gelf.h>
#include <libelf.h>
#include <string.h>

enum { OFFSETS_MAX = 64 };

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

/* Where the string table holds the name: link editors merge strings, so it may be the tail of another. A symbol of that name then has
 * one of these offsets, and no string need be read symbol by symbol. */
static u32 offsets_of(const struct image *image, const char *name, u32 *offsets) {
    size_t len = strlen(name) + 1;
    u32 count = 0;
    for (const char *at = image->strtab, *end = at + image->strtab_len; at && at < end && count < OFFSETS_MAX;) {
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
    u32 offsets[OFFSETS_MAX], count = image->symtab ? offsets_of(image, name, offsets) : 0;
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
