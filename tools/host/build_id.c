/* build_id.c - see build_id.h. */
#include "build_id.h"
#include "elf_file.h"

#include <string.h>

size_t build_id_read(const void *file, size_t file_len, const char *path, uint8_t *id, size_t room) {
    struct elf_file elf;
    u32 len = 0;
    const u8 *note = elf_file_open(&elf, file, file_len, path) ? image_note(&elf.image, &elf.view, "GNU", NT_GNU_BUILD_ID, &len) : NULL;
    if (!note || len > room)
        len = 0;
    if (len)
        memcpy(id, note, len);
    elf_file_close(&elf);
    return len;
}
