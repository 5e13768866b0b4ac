/* places.c - the walk over relocations for display: tables from ldr/image, meanings from ldr/arch, nothing parsed here.
 *
 * Only places inside the file-backed pages of a segment matter: .bss beyond them is no copy of a file page. */
#include "places.h"
#include "../ldr.h"
#include "elf_file.h"

#include "../../ldr/arch/arch.h"

#include <stdlib.h>
#include <string.h>

struct reader {
    struct elf_file file;
    struct places *places;      /* NULL: not asked for */
    struct place_list *list;    /* likewise */
    size_t list_room, list_max;
    struct place now;           /* what asks for the place at hand */
    u64 copy_budget;            /* bytes that copy relocations may still cover */
    const struct segment *last; /* places come in runs: the segment of the one before */
};

static bool is_file_backed(struct reader *reader, u64 vaddr) {
    const struct plan *plan = &reader->file.image.plan;
    const struct segment *seg = reader->last;
    for (u32 i = 0; i <= plan->seg_count; i++) {
        if (seg && seg->file_end > seg->vaddr && vaddr >= align_down(seg->vaddr, LDR_PAGE) && vaddr < align_up(seg->file_end, LDR_PAGE)) {
            reader->last = seg;
            return true;
        }
        seg = i < plan->seg_count ? &plan->seg[i] : NULL;
    }
    return false;
}

/* Notes the place at hand one by one. */
static void note(struct reader *reader, u64 vaddr, u64 len) {
    struct place_list *list = reader->list;
    if (!list)
        return;
    if (list->count == reader->list_max) {
        list->cut = true;
        return;
    }
    if (list->count == reader->list_room)
        list->list = must_grow(list->list, reader->list_room = reader->list_room * 2 + 256, sizeof *list->list);
    struct place *place = &list->list[list->count++];
    *place = reader->now;
    place->vaddr = vaddr;
    place->len = len > UINT32_MAX ? UINT32_MAX : (u32)len;
}

static void add(struct reader *reader, u64 vaddr, u64 len) {
    if (!is_file_backed(reader, vaddr))
        return;
    if (reader->places)
        places_add(reader->places, vaddr, len);
    note(reader, vaddr, len);
}

/* A copy relocation's length is whatever the symbol says: only the part in file-backed pages, and not more in sum than the
 * file could hold side by side, so that a malformed file costs no more time than its size. */
static void add_copy(struct reader *reader, u64 vaddr, u64 len) {
    u64 end;
    if (!add_u64(vaddr, len, &end))
        return;
    for (u32 i = 0; i < reader->file.image.plan.seg_count; i++) {
        const struct segment *seg = &reader->file.image.plan.seg[i];
        u64 from = align_down(seg->vaddr, LDR_PAGE), to = align_up(seg->file_end, LDR_PAGE);
        from = vaddr > from ? vaddr : from;
        to = end < to ? end : to;
        if (seg->file_end == seg->vaddr || from >= to || to - from > reader->copy_budget)
            continue;
        reader->copy_budget -= to - from;
        if (reader->places)
            places_add(reader->places, from, to - from);
        note(reader, from, to - from);
    }
}

static void add_relative(struct reader *reader, u64 vaddr, u64 linked) {
    if (!is_file_backed(reader, vaddr))
        return;
    if (reader->places)
        places_add_relative(reader->places, vaddr, linked);
    reader->now.relative = true;
    reader->now.addend = linked;
    note(reader, vaddr, 8);
}

/* What the symbol table says of the place at hand; only for the list, which people read. */
static void set_symbol(struct reader *reader, u64 symbol) {
    const struct image *image = &reader->file.image;
    reader->now.symbol = reader->now.version = "";
    if (!reader->list || symbol == 0 || symbol >= image->sym_limit)
        return;
    const char *name = image_string(image, image->symtab[symbol].st_name);
    u32 version = image->versym ? image->versym[symbol] & 0x7fff : 0;
    reader->now.symbol = name ? name : "";
    if (version > 1 && version < image->version_count && image->version[version].name)
        reader->now.version = image->version[version].name;
}

/* The word that the file has at vaddr; 0 where it has none. */
static u64 word_at(const struct reader *reader, u64 vaddr) {
    u64 word = 0;
    const void *at = view_at(&reader->file.view, vaddr, sizeof word);
    if (at)
        memcpy(&word, at, sizeof word);
    return word;
}

static void add_entry(struct reader *reader, u64 place, u64 info, u64 addend) {
    struct reloc_kind kind = arch_reloc_kind((u32)ELF64_R_TYPE(info));
    u64 symbol = ELF64_R_SYM(info);
    reader->now = (struct place){ .type = (u32)ELF64_R_TYPE(info), .addend = addend, .plt = reader->now.plt };
    set_symbol(reader, symbol);
    switch (kind.class) {
    case RELOC_NONE: break;
    case RELOC_RELATIVE: add_relative(reader, place, addend); break;
    case RELOC_COPY:
        if (symbol < reader->file.image.sym_limit)
            add_copy(reader, place, reader->file.image.symtab[symbol].st_size);
        break;
    default: add(reader, place, kind.width ? kind.width : 8);
    }
}

static void add_relr(struct reader *reader) {
    const struct relr_table *table = &reader->file.image.relr;
    u64 next = 0;
    for (u64 i = 0; i < table->count; i++) {
        u64 entry = table->at[i];
        if (!(entry & 1)) {
            add_relative(reader, entry, word_at(reader, entry));
            next = entry + 8;
            continue;
        }
        for (u64 bits = entry >> 1, place = next; bits; bits >>= 1, place += 8)
            if (bits & 1)
                add_relative(reader, place, word_at(reader, place));
        next += 63 * 8;
    }
}

static void add_all(struct reader *reader) {
    const struct image *image = &reader->file.image;
    reader->now = (struct place){ .type = R_X86_64_RELATIVE, .relr = true, .symbol = "", .version = "" };
    add_relr(reader);
    reader->now.plt = false;
    for (u64 i = 0; i < image->rela.count; i++)
        add_entry(reader, image->rela.at[i].r_offset, image->rela.at[i].r_info, (u64)image->rela.at[i].r_addend);
    for (u64 i = 0; i < image->rel.count; i++)
        add_entry(reader, image->rel.at[i].r_offset, image->rel.at[i].r_info, word_at(reader, image->rel.at[i].r_offset));
    reader->now.plt = true;
    for (u64 i = 0; i < image->plt.count; i++) {
        /* A jump slot not yet bound holds the file's word plus the bias, a bound one a function: neither is a write. */
        add_entry(reader, image->plt.at[i].r_offset, image->plt.at[i].r_info, (u64)image->plt.at[i].r_addend);
    }
    /* Linkers turn the addresses in .dynamic into pointers, in place, and put DT_DEBUG there. */
    reader->now = (struct place){ .kind = PLACE_DYNAMIC, .symbol = "", .version = "" };
    for (u32 i = 0; i < image->dyn_count; i++) {
        reader->now.addend = (u64)image->dyn[i].d_tag;
        add(reader, image->dyn_vaddr + i * sizeof(Elf64_Dyn) + offsetof(Elf64_Dyn, d_un), 8);
    }
    /* psABI "Procedure Linkage Table": the second and third word are the linker's, for lazy binding. */
    reader->now = (struct place){ .kind = PLACE_LAZY, .symbol = "", .version = "" };
    if (image->pltgot_vaddr)
        add(reader, image->pltgot_vaddr + 8, 16);
}

static bool read_all(struct reader *reader, const void *file, size_t file_len, const char *path) {
    struct report report = { 0 };
    struct elf_file *elf = &reader->file;
    reader->copy_budget = file_len + LDR_PAGE;
    bool good = elf_file_open(elf, file, file_len, path) && image_read_dynamic(&elf->image, &elf->view, &report) == 0;
    /* names of versions are for the list only: what is wrong with them takes nothing from the places */
    if (good && reader->list && image_read_versions(&elf->image, &elf->view, &elf->arena, &report) != 0)
        elf->image.version_count = 0;
    if (good)
        add_all(reader);
    elf_file_close(elf);
    return good;
}

bool places_read(const void *file, size_t file_len, const char *path, struct places *places) {
    struct reader reader = { .places = places };
    return read_all(&reader, file, file_len, path);
}

static int compare_places(const void *a, const void *b) {
    const struct place *x = a, *y = b;
    if (x->vaddr != y->vaddr)
        return x->vaddr < y->vaddr ? -1 : 1;
    return x->type < y->type ? -1 : x->type > y->type;
}

bool places_list(const void *file, size_t file_len, const char *path, struct place_list *list) {
    *list = (struct place_list){ 0 };
    /* every place is bytes of the file, and hardly ever are two of them the same; DT_RELR can name many more */
    struct reader reader = { .list = list, .list_max = file_len / 4 + 256 };
    bool good = read_all(&reader, file, file_len, path);
    if (list->count > 1)
        qsort(list->list, list->count, sizeof *list->list, compare_places);
    return good;
}

const char *place_type_name(uint32_t type) { return arch_reloc_name(type); }
