/* places.h - which words of an ELF file's image does a dynamic linker write? Read by the linker's own readers (ldr/image). */
#ifndef LDR_HOST_PLACES_H
#define LDR_HOST_PLACES_H

#include "../pages/cause.h"

/* places_read - every place of every relocation (DT_RELR, DT_RELA, DT_REL, DT_JMPREL), the values of .dynamic, GOT[1] and GOT[2]
 *   in      file, file_len   the whole file
 *           path             for nothing but reports of the readers, which are dropped
 *   out     places           zeroed by the caller; owned by it, also on failure
 *   returns false when the linker would refuse the file: nothing is known then */
bool places_read(const void *file, size_t file_len, const char *path, struct places *places);

#endif
