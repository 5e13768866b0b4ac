/* object.h - what the generator and the layout tests need of an ELF file besides types: build-id, symbols (dynamic or
 * full), the release banner, bytes by vaddr. Read with libelf, so that it is independent of the loader's own reader.
 */
#ifndef LDR_TOOLS_GEN_OBJECT_H
#define LDR_TOOLS_GEN_OBJECT_H

#include <stddef.h>
#include <stdint.h>

struct object; /* one open ELF file */

/* object_open - NULL with a sentence in why[256] unless `path` is a 64-bit little-endian x86-64 ELF file. */
struct object *object_open(const char *path, char why[256]);
void object_close(struct object *object);

/* object_build_id - copies the NT_GNU_BUILD_ID note. Returns its length in bytes, 0 when there is none of <= 20. */
size_t object_build_id(struct object *object, uint8_t id[20]);

enum object_table { OBJECT_DYNSYM, OBJECT_SYMTAB };

/* object_symbol - first defined symbol of that name (any version). Returns how many different addresses the name has:
 * 0 absent, 1 fine, more = ambiguous. value and size are those of the first. */
int object_symbol(struct object *object, enum object_table table, const char *name, uint64_t *value, uint64_t *size);

/* object_file - the whole file, borrowed until object_close. */
const uint8_t *object_file(struct object *object, size_t *len);

#endif
