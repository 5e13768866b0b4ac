/* object.c - see object.h. */
#include "object.h"

#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct object {
    int fd;
    Elf *file;
};

struct object *object_open(const char *path, char why[256])
{
    struct object *object = calloc(1, sizeof *object);
    GElf_Ehdr header;
    elf_version(EV_CURRENT);
    if (!object) {
        snprintf(why, 256, "%s: no memory", path);
        return NULL;
    }
    object->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (object->fd < 0) {
        snprintf(why, 256, "%s: cannot open", path);
        free(object);
        return NULL;
    }
    object->file = elf_begin(object->fd, ELF_C_READ_MMAP, NULL);
    if (!object->file || !gelf_getehdr(object->file, &header) || header.e_machine != EM_X86_64 ||
        header.e_ident[EI_CLASS] != ELFCLASS64) {
        snprintf(why, 256, "%s: not a 64-bit x86-64 ELF file", path);
        object_close(object);
        return NULL;
    }
    return object;
}

void object_close(struct object *object)
{
    if (!object)
        return;
    elf_end(object->file);
    close(object->fd);
    free(object);
}

size_t object_build_id(struct object *object, uint8_t id[20])
{
    Elf_Scn *section = NULL;
    while ((section = elf_nextscn(object->file, section))) {
        GElf_Shdr header;
        GElf_Nhdr note;
        Elf_Data *data;
        size_t at = 0, next, name, desc;
        if (!gelf_getshdr(section, &header) || header.sh_type != SHT_NOTE)
            continue;
        data = elf_getdata(section, NULL);
        while (data && (next = gelf_getnote(data, at, &note, &name, &desc)) > 0) {
            if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && note.n_descsz <= 20 &&
                memcmp((char *)data->d_buf + name, "GNU", 4) == 0) {
                memcpy(id, (char *)data->d_buf + desc, note.n_descsz);
                return note.n_descsz;
            }
            at = next;
        }
    }
    return 0;
}

int object_symbol(struct object *object, enum object_table table, const char *name, uint64_t *value, uint64_t *size)
{
    Elf_Scn *section = NULL;
    int addresses = 0;
    while ((section = elf_nextscn(object->file, section))) {
        GElf_Shdr header;
        Elf_Data *data;
        size_t i, count;
        if (!gelf_getshdr(section, &header) ||
            header.sh_type != (GElf_Word)(table == OBJECT_DYNSYM ? SHT_DYNSYM : SHT_SYMTAB) || !header.sh_entsize)
            continue;
        data = elf_getdata(section, NULL);
        count = data ? header.sh_size / header.sh_entsize : 0;
        for (i = 1; i < count; i++) {
            GElf_Sym symbol;
            const char *own;
            if (!gelf_getsym(data, (int)i, &symbol) || symbol.st_shndx == SHN_UNDEF)
                continue;
            own = elf_strptr(object->file, header.sh_link, symbol.st_name);
            if (!own || strcmp(own, name) != 0)
                continue;
            if (addresses == 0) {
                *value = symbol.st_value;
                *size = symbol.st_size;
                addresses = 1;
            } else if (symbol.st_value != *value) {
                addresses++;
            }
        }
    }
    return addresses;
}

const uint8_t *object_file(struct object *object, size_t *len)
{
    return (const uint8_t *)elf_rawfile(object->file, len);
}
