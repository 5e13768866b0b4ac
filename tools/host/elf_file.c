/* elf_file.c - see elf_file.h. */
#include "elf_file.h"

#include <stdlib.h>
#include <string.h>

/* The plan's segments and little else come from here: blocks, freed together. */
struct block {
    struct block *older;
    char bytes[];
};

static void *more_memory(struct arena *arena, size_t need, size_t *got) {
    struct block *block = malloc(sizeof *block + need);
    if (!block)
        return NULL;
    block->older = arena->chunks;
    arena->chunks = block;
    *got = need;
    return block->bytes;
}

bool elf_file_open(struct elf_file *elf, const void *file, size_t file_len, const char *path) {
    struct report report = { 0 };
    Elf64_Ehdr head;
    u64 table_end;
    *elf = (struct elf_file){ .arena.more = more_memory, .image.path = path };
    if (image_check_header(file, file_len, path, &report) != 0)
        return false;
    memcpy(&head, file, sizeof head);
    if (head.e_phoff % 8 || !add_u64(head.e_phoff, (u64)head.e_phnum * sizeof(Elf64_Phdr), &table_end) || table_end > file_len)
        return false;
    elf->image.type = head.e_type;
    const Elf64_Phdr *phdr = (const void *)((const char *)file + head.e_phoff);
    if (image_read_phdrs(&elf->image, phdr, head.e_phnum, file_len, &elf->arena, &report) != 0)
        return false;
    elf->view = (struct view){ .bytes = file, .plan = &elf->image.plan, .rule = VIEW_FILE };
    return true;
}

void elf_file_close(struct elf_file *elf) {
    for (struct block *block = elf->arena.chunks, *older; block; block = older) {
        older = block->older;
        free(block);
    }
}
