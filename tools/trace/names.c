/* names.c - names for what the record holds as numbers, from the files themselves: relocation entries and dynamic symbols by the
 * linker's own readers, functions by libelf, which knows .symtab too. A file counts only if its build-id is the recorded one (without
 * build-id: device and inode), because another file's names would be lies. */
#include "trace.h"

#include "../../ldr/arch/arch.h"
#include "../host/elf_file.h"
#include "../host/mapping.h"
#include "../ldr.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>

struct function { uint64_t vaddr; const char *name; bool global; };

struct elf_names {
    struct elf_names *next;
    char *path;
    uint64_t dev, ino;
    struct elf_file file;
    struct mapping mapping;
    bool known, functions_read;
    Elf *elf;
    struct function *functions;
    size_t function_count;
};
static struct elf_names *all;

static bool read_image(struct elf_names *names) {
    struct report quiet = { 0 };
    struct elf_file *file = &names->file;
    return elf_file_open(file, names->mapping.bytes, names->mapping.len, names->path) && image_read_dynamic(&file->image, &file->view, &quiet) == 0 &&
           image_read_versions(&file->image, &file->view, &file->arena, &quiet) == 0;
}

static bool is_recorded_file(const struct elf_names *names, const struct trace_object *event, const struct stat *st) {
    u32 len = 0;
    const u8 *id = image_note(&names->file.image, &names->file.view, "GNU", 3, &len);
    if (id && event->build_id_len)
        return len >= event->build_id_len && memcmp(id, event->build_id, event->build_id_len) == 0;
    return st->st_ino == event->ino;
}

struct elf_names *names_of(struct traced *object) {
    if (object->names)
        return object->names;
    for (struct elf_names *names = all; names; names = names->next)
        if (strcmp(names->path, object->path) == 0 && names->dev == object->event->dev && names->ino == object->event->ino)
            return object->names = names;
    struct elf_names *names = must_alloc(1, sizeof *names);
    *names = (struct elf_names){ .next = all, .path = must_format("%s", object->path), .dev = object->event->dev, .ino = object->event->ino };
    all = names;
    object->names = names;
    if (object->flag & (TRACE_IS_VDSO | TRACE_IS_SELF))
        return names;
    struct stat st;
    if (!mapping_open(&names->mapping, names->path, &st) || names->mapping.len < sizeof(Elf64_Ehdr))
        return names;
    names->known = read_image(names) && is_recorded_file(names, object->event, &st);
    return names;
}

bool names_known(struct elf_names *names) { return names->known && !names->mapping.cut; }

bool names_symbol(struct elf_names *names, uint32_t symbol, struct entry_names *out) {
    const struct image *image = &names->file.image;
    if (!names_known(names) || symbol >= image->sym_limit)
        return false;
    const Elf64_Sym *sym = &image->symtab[symbol];
    unsigned visibility = ELF64_ST_VISIBILITY(sym->st_other);
    out->symbol = symbol;
    out->name = image_string(image, sym->st_name);
    /* As the linker's symbol_binds_locally: nothing is looked up for these. */
    out->local = ELF64_ST_BIND(sym->st_info) == STB_LOCAL || visibility == STV_HIDDEN || visibility == STV_INTERNAL;
    out->version = NULL;
    if (image->versym) {
        unsigned number = image->versym[symbol] & 0x7fff;
        out->version = number < image->version_count ? image->version[number].name : NULL;
    }
    return out->name != NULL;
}

bool names_entry(struct elf_names *names, uint32_t table, uint64_t index, struct entry_names *out) {
    const struct rela_table *entries = table ? &names->file.image.plt : &names->file.image.rela;
    if (!names_known(names) || index >= entries->count)
        return false;
    const Elf64_Rela *r = &entries->at[index];
    out->place = r->r_offset;
    out->addend = (uint64_t)r->r_addend;
    out->type = (uint32_t)ELF64_R_TYPE(r->r_info);
    return ELF64_R_SYM(r->r_info) && names_symbol(names, (uint32_t)ELF64_R_SYM(r->r_info), out);
}

bool names_defines(struct elf_names *names, const char *name, const char *version) {
    if (!names_known(names))
        return false;
    struct version wanted = { .name = version };
    struct symbol_want want = { .name = name };
    want.gnu = gnu_hash_len(name, &want.len);
    if (version) {
        wanted.hash = sysv_hash_of(version);
        want.version = &wanted;
    }
    return image_find_symbol(&names->file.image, &want) != NULL;
}

bool names_stands_at(struct elf_names *names, const char *name, uint64_t vaddr) {
    if (!names_known(names))
        return false;
    struct symbol_want want = { .name = name, .newest = true };
    want.gnu = gnu_hash_len(name, &want.len);
    const Elf64_Sym *sym = image_find_symbol(&names->file.image, &want);
    return sym && sym->st_value == vaddr;
}

static int by_vaddr(const void *a, const void *b) {
    const struct function *x = a, *y = b;
    if (x->vaddr != y->vaddr)
        return x->vaddr < y->vaddr ? -1 : 1;
    return (int)y->global - (int)x->global;
}

static void read_functions(struct elf_names *names) {
    names->functions_read = true;
    if (!names_known(names) || elf_version(EV_CURRENT) == EV_NONE || !(names->elf = elf_memory((char *)(uintptr_t)names->mapping.bytes, names->mapping.len)))
        return;
    size_t room = 0;
    for (Elf_Scn *section = NULL; (section = elf_nextscn(names->elf, section));) {
        GElf_Shdr header;
        if (!gelf_getshdr(section, &header) || (header.sh_type != SHT_SYMTAB && header.sh_type != SHT_DYNSYM) || !header.sh_entsize)
            continue;
        Elf_Data *data = elf_getdata(section, NULL);
        size_t count = data ? data->d_size / header.sh_entsize : 0;
        for (size_t i = 0; i < count; i++) {
            GElf_Sym sym;
            if (!gelf_getsym(data, (int)i, &sym) || GELF_ST_TYPE(sym.st_info) != STT_FUNC || sym.st_shndx == SHN_UNDEF)
                continue;
            const char *name = elf_strptr(names->elf, header.sh_link, sym.st_name);
            if (!name || !*name)
                continue;
            if (names->function_count == room)
                names->functions = must_grow(names->functions, room = room * 2 + 256, sizeof *names->functions);
            names->functions[names->function_count++] = (struct function){ sym.st_value, name, GELF_ST_BIND(sym.st_info) != STB_LOCAL };
        }
    }
    qsort(names->functions, names->function_count, sizeof *names->functions, by_vaddr);
}

const char *names_function(struct elf_names *names, uint64_t vaddr) {
    if (!names->functions_read)
        read_functions(names);
    size_t lo = 0, hi = names->function_count;
    while (lo < hi) {
        size_t middle = lo + (hi - lo) / 2;
        if (names->functions[middle].vaddr < vaddr)
            lo = middle + 1;
        else
            hi = middle;
    }
    return lo < names->function_count && names->functions[lo].vaddr == vaddr ? names->functions[lo].name : NULL;
}

void names_free_all(void) {
    while (all) {
        struct elf_names *names = all;
        all = names->next;
        elf_file_close(&names->file);
        elf_end(names->elf);
        mapping_close(&names->mapping);
        free(names->functions);
        free(names->path);
        free(names);
    }
}
