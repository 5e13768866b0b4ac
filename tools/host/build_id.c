/* build_id.c - see build_id.h. */
#include "build_id.h"
#include "../guard.h"
#include "elf_file.h"

#include <string.h>

struct reading { const void *file; size_t file_len; const char *path; uint8_t *id; size_t room; size_t len; };

static void read_id(void *context) {
    struct reading *reading = context;
    struct elf_file elf;
    u32 len = 0;
    const u8 *note = elf_file_open(&elf, reading->file, reading->file_len, reading->path) ? image_note(&elf.image, &elf.view, "GNU", NT_GNU_BUILD_ID, &len) : NULL;
    if (!note || len > reading->room)
        len = 0;
    if (len)
        memcpy(reading->id, note, len);
    elf_file_close(&elf);
    reading->len = len;
}

size_t build_id_read(const void *file, size_t file_len, const char *path, uint8_t *id, size_t room) {
    struct reading reading = { file, file_len, path, id, room, 0 };
    return guarded(read_id, &reading) ? reading.len : 0;
}
