/* build_id.h - the NT_GNU_BUILD_ID note of a whole ELF file, by the linker's own readers. */
#ifndef LDR_HOST_BUILD_ID_H
#define LDR_HOST_BUILD_ID_H

#include <stddef.h>
#include <stdint.h>

/* build_id_read - returns its length in bytes; 0 when there is none, one longer than ROOM, or the linker would refuse the file */
size_t build_id_read(const void *file, size_t file_len, const char *path, uint8_t *id, size_t room);

#endif
