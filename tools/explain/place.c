/* place.c - the relocation of one address. PLT entries are read as code: endbr64 or bnd aside they are one jump through the GOT (x86-64
 * psABI "Procedure Linkage Table"). */
#include "place.h"
#include "../ldr.h"
#include "names.h"
#include "plain.h"
#include "sections.h"
#include "tree.h"

#include <stdlib.h>
#include <string.h>

static bool covers(const struct reloc_record *record, void *arg) {
    struct place *place = arg;
    u64 width = record->kind.width ? record->kind.width : 8;
    const struct image *image = &place->object->image;
    if (record->kind.class == RELOC_COPY && record->symbol < image->sym_limit && image->symtab[record->symbol].st_size)
        width = image->symtab[record->symbol].st_size;
    if (place->vaddr - record->place >= width)
        return true;
    place->record = *record;
    place->found = true;
    return false;
}

enum { PLT_ENTRY = 16 };

/* The GOT word that the PLT entry around `vaddr` jumps through; 0: that is no PLT entry. Entries have 16 bytes, or 8 (.plt.got), and the
 * jump may stand behind an endbr64: the last jump that begins at or before the address counts, else the next. */
static u64 word_of_plt(const struct object *object, u64 vaddr) {
    u64 start = align_down(vaddr, PLT_ENTRY), word = 0;
    const u8 *code = view_at(&object->view, start, PLT_ENTRY);
    for (u32 at = 0; code && at + 6 <= PLT_ENTRY && (!word || start + at <= vaddr); at++)
        if (code[at] == 0xff && code[at + 1] == 0x25) {
            i64 distance = (int)((u32)code[at + 2] | (u32)code[at + 3] << 8 | (u32)code[at + 4] << 16 | (u32)code[at + 5] << 24);
            word = start + at + 6 + (u64)distance;
        }
    return word;
}

bool place_is_code(const struct object *object, u64 vaddr) {
    const struct plan *plan = &object->image.plan;
    for (u32 i = 0; i < plan->seg_count; i++)
        if (vaddr >= plan->seg[i].vaddr && vaddr < plan->seg[i].mem_end)
            return plan->seg[i].prot & PF_X;
    return false;
}

/* Words that no relocation fills and the linker writes all the same: the second and third of a lazily bound object's GOT (x86-64 psABI
 * "Procedure Linkage Table"; bind_set_up in run/bind.c), and the program's DT_DEBUG (debug/r_debug.c). */
static enum place_reserved reserved_for(const struct object *object, u64 vaddr) {
    const struct image *image = &object->image;
    u64 word = image->pltgot_vaddr ? (vaddr - image->pltgot_vaddr) / 8 : 3;
    if (word < 3)
        return word == 0 ? RESERVED_DYNAMIC : !relocs_lazily(object) ? RESERVED_UNUSED : word == 1 ? RESERVED_OBJECT : RESERVED_RESOLVER;
    u64 entry = (vaddr - image->dyn_vaddr) / sizeof(Elf64_Dyn);
    if (!image->dyn_vaddr || vaddr < image->dyn_vaddr || entry >= image->dyn_count)
        return RESERVED_NOT;
    bool value = (vaddr - image->dyn_vaddr) % sizeof(Elf64_Dyn) >= 8;
    return object->is_program && value && image->dyn[entry].d_tag == DT_DEBUG ? RESERVED_DEBUG : RESERVED_ENTRY;
}

static const char *reserved_text(enum place_reserved reserved) {
    switch (reserved) {
    case RESERVED_NOT: break;
    case RESERVED_DYNAMIC: return "is the first reserved word of the GOT\n  the link editor has put the link-time address of the dynamic section there; the linker stores nothing\n";
    case RESERVED_OBJECT: return "is the second reserved word of the GOT\n  the linker stores there what it knows the object by (the link map, under glibc), for lazy binding\n";
    case RESERVED_RESOLVER: return "is the third reserved word of the GOT\n  the linker stores there the address of its function that binds lazily: the first entry of the PLT jumps to it\n";
    case RESERVED_UNUSED: return "is a reserved word of the GOT, for lazy binding\n  the object is bound at its start: the linker stores nothing here\n";
    case RESERVED_DEBUG: return "is the value of DT_DEBUG\n  the linker stores there the address of _r_debug, the list of loaded objects that debuggers read\n";
    case RESERVED_ENTRY: return "is in the dynamic section\n  no relocation covers it; to entries that are addresses the linker adds the load address in place\n";
    }
    return "";
}

struct place place_find(struct object *object, u64 vaddr) {
    struct place place = { .object = object, .vaddr = vaddr };
    const struct plan *plan = &object->image.plan;
    place.outside = vaddr < plan->lo_page || vaddr >= plan->hi_page;
    if (place.outside)
        return place;
    relocs_each(object, covers, &place);
    u64 word = !place.found && place_is_code(object, vaddr) ? word_of_plt(object, vaddr) : 0;
    if (word) {
        struct place behind = { .object = object, .vaddr = word };
        relocs_each(object, covers, &behind);
        if (behind.found)
            place = (struct place){ .object = object, .vaddr = vaddr, .in_plt = true, .found = true, .record = behind.record };
    }
    if (!place.found)
        place.reserved = reserved_for(object, vaddr);
    return place;
}

struct object *place_object(const struct session *session, const char *word) {
    for (struct object *object = session->first; object; object = object->next) {
        if (!object->is_missing && tree_is_meant(object_node(object), word))
            return object;
    }
    return NULL;
}

char *place_address_text(const struct object *object, u64 vaddr) {
    const struct image *image = &object->image;
    u64 count = image->symtab ? image_symbol_count(image) : 0;
    for (u64 i = 1; i < count; i++) {
        const Elf64_Sym *sym = &image->symtab[i];
        const char *name = sym->st_shndx != SHN_UNDEF && ELF64_ST_TYPE(sym->st_info) != STT_TLS ? image_string(image, sym->st_name) : NULL;
        if (name && (vaddr == sym->st_value || vaddr - sym->st_value < sym->st_size)) {
            char *readable = names_readable(name), *text = must_format("%s + %#llx (%s%s%#llx)", node_path(object_node(object)), (unsigned long long)vaddr, readable,
                                                                      vaddr == sym->st_value ? ", offset " : " + ", (unsigned long long)(vaddr - sym->st_value));
            free(readable);
            return plain_line(text);
        }
    }
    struct sections sections = sections_read(object_node(object)->file);
    const struct section *section = sections_at(&sections, vaddr);
    char *text = section ? must_format("%s + %#llx (in %s)", node_path(object_node(object)), (unsigned long long)vaddr, section->name)
                         : must_format("%s + %#llx", node_path(object_node(object)), (unsigned long long)vaddr);
    sections_free(&sections);
    return plain_line(text);
}

char *place_text(const struct place *place, const char **symbol) {
    const struct reloc_record *record = &place->record;
    char *path = plain_line(must_format("%s", node_path(object_node(place->object))));
    const char *type = arch_reloc_name(record->type);
    struct sections sections = sections_read(object_node(place->object)->file);
    const struct section *section = sections_at(&sections, place->vaddr);
    char *where = must_format("%s + %#llx%s%s", path, (unsigned long long)place->vaddr, section ? " in " : "", section ? section->name : ""), *text;
    plain_line(where);
    sections_free(&sections);
    type = type ? type : "a relocation of unknown type";
    *symbol = place->found ? relocs_symbol_name(place->object, record->symbol) : NULL;
    char *name = plain_line(must_format("%s", *symbol ? *symbol : "its own object, without a symbol"));
    if (place->outside) {
        const struct plan *plan = &place->object->image.plan;
        text = must_format("%s has no address %#llx\n  it takes %#llx to %#llx (link-time addresses)\n", path, (unsigned long long)place->vaddr,
                           (unsigned long long)plan->lo_page, (unsigned long long)plan->hi_page);
    } else if (place->reserved) {
        text = must_format("%s %s", where, reserved_text(place->reserved));
    } else if (!place->found) {
        text = must_format("%s: the linker stores nothing here\n  no relocation of %s covers the address\n", where, path);
    } else if (record->kind.class == RELOC_RELATIVE || record->kind.class == RELOC_IRELATIVE) {
        char *target = place_address_text(place->object, (u64)record->addend);
        text = must_format("%s holds %s %s\n  %s: the object's own load address is added, nothing is looked up\n", where,
                           record->kind.class == RELOC_RELATIVE ? "the address" : "what is chosen at start by the function at", target, type);
        free(target);
    } else if (place->in_plt) {
        text = must_format("%s is the PLT entry of %s\n  it jumps through the word at %#llx, filled by %s\n", where, name, (unsigned long long)record->place, type);
    } else {
        text = must_format("%s is filled by %s of %s\n", where, type, name);
    }
    free(where);
    free(path);
    free(name);
    return text;
}
