/* types.h - questions about C types answered from a file's DWARF: size of a structure, where one of its members is.
 * Only what the layout generator needs; lines and variables' locations are the business of tools/host/lines.c.
 */
#ifndef LDR_TOOLS_GEN_TYPES_H
#define LDR_TOOLS_GEN_TYPES_H

#include <stdint.h>

struct types; /* one open debug file */

/* A place inside a structure. bit is counted from the structure's first byte, least significant bit of a byte first. */
struct place {
    uint64_t bit;
    uint64_t size;   /* bytes of the member's type; 0 for a flexible array */
    uint64_t stride; /* bytes of one element when the member is an array, else 0 */
    uint64_t count;  /* elements when it is an array with a bound, else 0 */
    int is_bitfield;
};

enum types_answer {
    TYPES_FOUND = 0,
    TYPES_NO_STRUCTURE = 1, /* no complete definition in the file */
    TYPES_NO_MEMBER = 2,    /* the structure is there, a part of the path is not */
    TYPES_BROKEN = 3        /* the debug info is unreadable or contradicts itself; `why` says where */
};

/* types_open - read a debug file. Returns NULL with a sentence in why[256]. Owned by the caller: types_close. */
struct types *types_open(const char *path, char why[256]);
void types_close(struct types *types);

/* types_find - resolve `path` in `structure`.
 *   in      structure  struct tag or typedef name; ":name" starts at the type of the variable `name`
 *           path       members joined by '.', each with an optional [n]; "" is the structure itself
 *   out     place      untouched unless TYPES_FOUND
 *           why        with any other answer: a phrase naming what was looked for and where the search ended
 */
enum types_answer types_find(struct types *types, const char *structure, const char *path, struct place *place,
                             char why[256]);

#endif
