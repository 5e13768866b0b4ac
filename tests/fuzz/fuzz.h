/* fuzz.h - what the fuzz targets share: an input seen as a file and as a mapped copy, arenas that show every overrun, a mutator that
 * knows where an ELF file keeps its numbers. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../ldr/link/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* MUST - a property that no input may break; the fuzzer keeps the input that does. */
#define MUST(condition) ((condition) ? (void)0 : __builtin_trap())

/* An arena whose every allocation is a heap block of its own, so that the sanitizer sees its end. */
void fuzz_arena(struct arena *arena);
void fuzz_arena_free(struct arena *arena);

struct subject {                      /* one reading of the input */
    struct object object;             /* object.image, object.view: as the linker has them */
    struct arena arena;
    u8 *copy;                         /* mapped copy, lo_page first; NULL for the file rule */
    u64 copy_len;
};
/* subject_open - header and program headers, then a view by `rule`; false: refused (or, mapped, larger than a test can copy). */
bool subject_open(struct subject *subject, const u8 *data, u64 size, enum view_rule rule);
void subject_close(struct subject *subject);
/* Calls `read` for the file rule and for the memory rule, with the dynamic section read where it can be. */
void each_subject(const u8 *data, u64 size, void (*read)(struct subject *subject));

extern struct report fuzz_report;     /* checks each problem's code, counts nothing */
void touch(const void *bytes, u64 len);                /* every byte must be there to be read */
#endif
