/* elf.c - two questions to an ELF file, answered by libelf, which checks offsets against the file's size. */
#include "store.h"
#include "../ldr.h"

#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <unistd.h>

enum { NOTES_MOST = 64 << 10, INTERPRETER_MOST = 4096 };       /* bytes */

/* Appends the file bytes of every segment of that type. */
static bool read_segments(const char *path, u32 type, u64 most, struct bytes *bytes) {
    *bytes = (struct bytes){ 0 };
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
    size_t count;
    bool good = elf && elf_kind(elf) == ELF_K_ELF && elf_getphdrnum(elf, &count) == 0;
    for (size_t i = 0; good && i < count; i++) {
        GElf_Phdr header;
        if (!gelf_getphdr(elf, (int)i, &header) || header.p_type != type || header.p_filesz > most - bytes->len)
            continue;
        bytes->at = must_grow(bytes->at, bytes->len + header.p_filesz + 1, 1);
        good = pread(fd, bytes->at + bytes->len, header.p_filesz, (off_t)header.p_offset) == (ssize_t)header.p_filesz;
        bytes->len += header.p_filesz;
        bytes->at[bytes->len] = 0;
    }
    elf_end(elf);
    close(fd);
    if (good && bytes->at)
        return true;
    free(bytes->at);
    *bytes = (struct bytes){ 0 };
    return false;
}

bool loader_notes(const char *path, struct bytes *notes) { return read_segments(path, PT_NOTE, NOTES_MOST, notes); }

char *program_interpreter(const char *path) {
    struct bytes text;
    return read_segments(path, PT_INTERP, INTERPRETER_MOST, &text) ? (char *)text.at : NULL;
}
