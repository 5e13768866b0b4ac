/* elf_file.h - a whole ELF file in memory as the linker's own readers (ldr/image) have it: its program headers, checked. Not to be included
 * beside pages.h: the linker's types and the tools' have names in common. */
#ifndef LDR_HOST_ELF_FILE_H
#define LDR_HOST_ELF_FILE_H

#include "../../ldr/image/image.h"

struct elf_file {
    struct image image;
    struct view view;
    struct arena arena; /* of the plan's segments */
};

/* elf_file_open - reads the program headers
 *   in      file, file_len   the whole file; must stay until elf_file_close
 *           path             for nothing but reports of the readers, which are dropped
 *   returns false when the linker would refuse the file. Close it in any case. */
bool elf_file_open(struct elf_file *elf, const void *file, size_t file_len, const char *path);
void elf_file_close(struct elf_file *elf);

#endif
