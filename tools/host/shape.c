/* shape.c - which segments has this file? Answered by libelf, which checks every offset against the file's size. */
#include "shape.h"
#include "../guard.h"
#include "../ldr.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The kernel executes no program whose table of program headers is longer than 64 KiB, and every mapping is looked up among these. */
enum { HEADERS_MAX = 1170 };

static int compare_loads(const void *a, const void *b) {
    const struct load *x = a, *y = b;
    return x->vaddr < y->vaddr ? -1 : x->vaddr > y->vaddr;
}

static bool read_headers(int fd, struct shape *shape) {
    char magic[SELFMAG];
    /* Most mapped files of some programs are data (fonts, locale archives): four bytes tell without libelf. */
    if (pread(fd, magic, sizeof magic, 0) != sizeof magic || memcmp(magic, ELFMAG, SELFMAG) != 0)
        return false;
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    size_t count;
    bool good = elf && elf_kind(elf) == ELF_K_ELF && elf_getphdrnum(elf, &count) == 0 && count <= HEADERS_MAX;
    if (good) {
        *shape = (struct shape){ .known = true, .loads = must_alloc(count, sizeof *shape->loads) };
        for (size_t i = 0; i < count; i++) {
            GElf_Phdr header;
            if (!gelf_getphdr(elf, (int)i, &header))
                continue;
            if (header.p_type == PT_LOAD)
                shape->loads[shape->load_count++] = (struct load){
                    .vaddr = header.p_vaddr, .off = header.p_offset, .filesz = header.p_filesz, .memsz = header.p_memsz,
                    .flags = header.p_flags };
            if (header.p_type == PT_GNU_RELRO) {
                shape->relro_vaddr = header.p_vaddr;
                shape->relro_len = header.p_memsz;
            }
        }
        qsort(shape->loads, shape->load_count, sizeof *shape->loads, compare_loads);
    }
    elf_end(elf);
    return good;
}

struct reading { int fd; struct shape *shape; bool good; };

static void read_guarded(void *context) {
    struct reading *reading = context;
    reading->good = read_headers(reading->fd, reading->shape);
}

bool shape_read(int fd, struct shape *shape) {
    struct reading reading = { fd, shape, false };
    if (guarded(read_guarded, &reading))
        return reading.good;
    *shape = (struct shape){ 0 };
    return false;
}
