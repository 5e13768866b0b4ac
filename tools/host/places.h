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

/* The same places one by one, with what asks for each: for who names them. */
enum place_kind { PLACE_RELOCATION, PLACE_DYNAMIC /* a value of .dynamic */, PLACE_LAZY /* a word of the GOT for lazy binding */ };
struct place {
    uint64_t vaddr;
    uint64_t addend;     /* of a relative one: the link-time address it points to; of PLACE_DYNAMIC the tag */
    uint32_t len;        /* bytes that relocation writes */
    uint32_t type;       /* R_X86_64_*; of a word of DT_RELR R_X86_64_RELATIVE */
    uint8_t kind;        /* enum place_kind */
    bool relative, plt, relr; /* plt: of DT_JMPREL, bound at the first call or at start; relr: of DT_RELR */
    const char *symbol;  /* in the file's bytes; "" when none */
    const char *version; /* likewise */
};
struct place_list {
    struct place *list; /* ascending by vaddr; owned */
    size_t count;
    bool cut;           /* more than the file could hold side by side: the rest is left out */
};

/* places_list - the places that places_read collects, in the file-backed pages of segments; same result */
bool places_list(const void *file, size_t file_len, const char *path, struct place_list *list);

/* place_type_name - "R_X86_64_64"; NULL when the linker does not know the type */
const char *place_type_name(uint32_t type);

#endif
