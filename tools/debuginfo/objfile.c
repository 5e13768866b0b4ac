/* objfile.c - one ELF file held in memory, through libelf, which checks every offset against the length. */
#include "../ldr.h"
#include "parts.h"

#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

bool objfile_open(struct objfile *file, const void *bytes, size_t len, const char *path) {
    *file = (struct objfile){ .bytes = bytes, .len = len };
    const unsigned char *ident = bytes;
    if (!bytes || len < sizeof(Elf64_Ehdr) || memcmp(ident, ELFMAG, SELFMAG) != 0 || ident[EI_CLASS] != ELFCLASS64 ||
        ident[EI_DATA] != ELFDATA2LSB)
        return false;
    elf_version(EV_CURRENT);
    /* not written to: libelf takes memory for reading and makes copies where it has to change something */
    file->elf = elf_memory((char *)(uintptr_t)bytes, len);
    if (!file->elf || elf_kind(file->elf) != ELF_K_ELF || elf_getshdrstrndx(file->elf, &file->names) != 0) {
        elf_end(file->elf);
        file->elf = NULL;
        return false;
    }
    file->path = must_format("%s", path);
    return true;
}

bool objfile_map(struct objfile *file, const char *path) {
    struct stat st;
    /* looked at before it is opened: the name may come from a hostile file, and opening a device can do something */
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return false;
    void *at = MAP_FAILED;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
        at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (at == MAP_FAILED)
        return false;
    if (!objfile_open(file, at, (size_t)st.st_size, path)) {
        munmap(at, (size_t)st.st_size);
        return false;
    }
    file->mapped = true;
    return true;
}

void objfile_close(struct objfile *file) {
    elf_end(file->elf);
    if (file->mapped)
        munmap((void *)(uintptr_t)file->bytes, file->len);
    free(file->path);
    *file = (struct objfile){ 0 };
}

static Elf_Scn *find_section(const struct objfile *file, const char *name, GElf_Shdr *header) {
    for (Elf_Scn *section = NULL; file->elf && (section = elf_nextscn(file->elf, section)); ) {
        const char *own;
        if (gelf_getshdr(section, header) && (own = elf_strptr(file->elf, file->names, header->sh_name)) && strcmp(own, name) == 0)
            return section;
    }
    return NULL;
}

Elf_Data *objfile_section(const struct objfile *file, const char *name) {
    GElf_Shdr header;
    Elf_Scn *section = find_section(file, name, &header);
    Elf_Data *data = section && header.sh_type != SHT_NOBITS ? elf_rawdata(section, NULL) : NULL;
    return data && data->d_buf && data->d_size ? data : NULL;
}

bool objfile_has(const struct objfile *file, const char *name) {
    GElf_Shdr header;
    return find_section(file, name, &header) && header.sh_type != SHT_NOBITS && header.sh_size > 0;
}

size_t objfile_build_id(const struct objfile *file, uint8_t id[BUILD_ID_MAX]) {
    for (Elf_Scn *section = NULL; file->elf && (section = elf_nextscn(file->elf, section)); ) {
        GElf_Shdr header;
        GElf_Nhdr note;
        size_t next, name, desc;
        if (!gelf_getshdr(section, &header) || header.sh_type != SHT_NOTE)
            continue;
        Elf_Data *data = elf_getdata(section, NULL);
        for (size_t at = 0; data && (next = gelf_getnote(data, at, &note, &name, &desc)) > 0; at = next)
            if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && memcmp((char *)data->d_buf + name, "GNU", 4) == 0 &&
                note.n_descsz > 1 && note.n_descsz <= BUILD_ID_MAX) {
                memcpy(id, (char *)data->d_buf + desc, note.n_descsz);
                return note.n_descsz;
            }
    }
    return 0;
}
