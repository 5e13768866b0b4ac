/* symtab.c - which symbol covers this address? */
#include "../ldr.h"
#include "parts.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>

static Elf_Scn *find_table(const struct objfile *file, uint32_t type, GElf_Shdr *header) {
    for (Elf_Scn *section = NULL; file->elf && (section = elf_nextscn(file->elf, section)); )
        if (gelf_getshdr(section, header) && header->sh_type == type && header->sh_size && header->sh_entsize == sizeof(Elf64_Sym))
            return section;
    return NULL;
}

bool symtab_exists(const struct objfile *file, uint32_t type) {
    GElf_Shdr header;
    return find_table(file, type, &header) != NULL;
}

/* Of several names for one address: with a length before without, global before weak before local. */
static uint8_t rank_of(const GElf_Sym *symbol) {
    static const uint8_t by_binding[] = { [STB_LOCAL] = 2, [STB_GLOBAL] = 0, [STB_WEAK] = 1 };
    unsigned binding = GELF_ST_BIND(symbol->st_info);
    return (uint8_t)((symbol->st_size ? 0 : 4) + (binding < sizeof by_binding ? by_binding[binding] : 0));
}

static int compare_symbols(const void *a, const void *b) {
    const struct symbol *x = a, *y = b;
    if (x->vaddr != y->vaddr)
        return x->vaddr < y->vaddr ? -1 : 1;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return strcmp(x->name, y->name);
}

bool symtab_read(const struct objfile *file, uint32_t type, struct symtab *symtab) {
    *symtab = (struct symtab){ 0 };
    GElf_Shdr header;
    Elf_Scn *section = find_table(file, type, &header);
    Elf_Data *data = section ? elf_getdata(section, NULL) : NULL;
    if (!data || !data->d_buf)
        return false;
    size_t count = data->d_size / sizeof(Elf64_Sym);
    symtab->list = must_alloc(count, sizeof *symtab->list);
    for (size_t i = 1; i < count && i <= INT32_MAX; i++) {
        GElf_Sym symbol;
        const char *name;
        if (!gelf_getsym(data, (int)i, &symbol) || symbol.st_shndx == SHN_UNDEF || symbol.st_shndx == SHN_ABS)
            continue;
        unsigned kind = GELF_ST_TYPE(symbol.st_info);
        if (kind != STT_OBJECT && kind != STT_FUNC && kind != STT_GNU_IFUNC && kind != STT_NOTYPE && kind != STT_COMMON)
            continue;
        name = elf_strptr(file->elf, header.sh_link, symbol.st_name);
        if (!name || !*name || symbol.st_value > UINT64_MAX - symbol.st_size)
            continue;
        symtab->list[symtab->count++] = (struct symbol){ symbol.st_value, symbol.st_size, name, rank_of(&symbol) };
    }
    if (symtab->count > 1)
        qsort(symtab->list, symtab->count, sizeof *symtab->list, compare_symbols);
    symtab->reach = must_alloc(symtab->count, sizeof *symtab->reach);
    for (size_t i = 0; i < symtab->count; i++) {
        uint64_t end = symtab->list[i].vaddr + symtab->list[i].len;
        symtab->reach[i] = i && symtab->reach[i - 1] > end ? symtab->reach[i - 1] : end;
    }
    return symtab->count > 0;
}

const struct symbol *symtab_at(const struct symtab *symtab, uint64_t vaddr, const char *prefer) {
    enum { LOOK_BACK = 10000 }; /* symbols inside one that reaches far: bounded, the nearest win anyway */
    size_t low = 0, high = symtab->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (symtab->list[middle].vaddr <= vaddr)
            low = middle + 1;
        else
            high = middle;
    }
    const struct symbol *best = NULL;
    for (size_t i = low, looked = 0; i-- > 0 && looked < LOOK_BACK; looked++) {
        const struct symbol *symbol = &symtab->list[i];
        if (best && symbol->vaddr != best->vaddr)
            break; /* the one that begins nearest is the innermost */
        if (symbol->vaddr != vaddr && symtab->reach[i] <= vaddr)
            break;
        if (symbol->vaddr != vaddr && symbol->len <= vaddr - symbol->vaddr)
            continue;
        if (prefer && strcmp(symbol->name, prefer) == 0)
            return symbol;
        best = symbol; /* walking backwards: the last of one address has the best rank */
    }
    return best;
}

void symtab_free(struct symtab *symtab) {
    free(symtab->list);
    free(symtab->reach);
    *symtab = (struct symtab){ 0 };
}
