/* sections.c - libelf's view of a file that is mapped already. */
#include "sections.h"
#include "../ldr.h"

#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b) {
    const struct section *x = a, *y = b;
    return x->addr < y->addr ? -1 : x->addr > y->addr;
}

struct sections sections_read(const struct library_file *file) {
    struct sections sections = { 0 };
    size_t names, room = 0;
    if (!file || elf_version(EV_CURRENT) == EV_NONE)
        return sections;
    Elf *elf = elf_memory((char *)file->bytes, file->len);
    if (elf && elf_getshdrstrndx(elf, &names) == 0)
        for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));) {
            GElf_Shdr header;
            const char *name = gelf_getshdr(section, &header) ? elf_strptr(elf, names, header.sh_name) : NULL;
            /* .tbss takes no addresses: those it claims belong to what follows. */
            if (!name || !(header.sh_flags & SHF_ALLOC) || !header.sh_size || (header.sh_type == SHT_NOBITS && (header.sh_flags & SHF_TLS)))
                continue;
            if (sections.count == room)
                sections.list = must_grow(sections.list, room = room * 2 + 32, sizeof *sections.list);
            sections.list[sections.count++] = (struct section){ must_format("%s", name), header.sh_addr, header.sh_size };
        }
    elf_end(elf);
    if (sections.count)
        qsort(sections.list, sections.count, sizeof *sections.list, compare);
    return sections;
}

const struct section *sections_at(const struct sections *sections, u64 addr) {
    size_t lo = 0, hi = sections->count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (sections->list[mid].addr <= addr)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo && addr - sections->list[lo - 1].addr < sections->list[lo - 1].len ? &sections->list[lo - 1] : NULL;
}

void sections_free(struct sections *sections) {
    for (size_t i = 0; i < sections->count; i++)
        free(sections->list[i].name);
    free(sections->list);
    *sections = (struct sections){ 0 };
}
