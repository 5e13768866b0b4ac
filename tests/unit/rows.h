/* rows.h - the row that most tables of image/ are made of: a good image, one number of it changed, the code and place reported. */
#ifndef ROWS_H
#define ROWS_H

#include "elfgen.h"

enum part_kind { IN_EHDR, IN_PHDR, IN_DYN, IN_DYN_TAG, IN_TABLE, CUT };

#define EHDR(field) IN_EHDR, 0, offsetof(Elf64_Ehdr, field), sizeof(((Elf64_Ehdr *)0)->field)
#define IDENT(i) IN_EHDR, 0, (i), 1
#define PHDR(which, field) IN_PHDR, (which), offsetof(Elf64_Phdr, field), sizeof(((Elf64_Phdr *)0)->field)
#define DYN(tag) IN_DYN, (tag), 8, 8                   /* its value */
#define DYN_TAG(tag) IN_DYN_TAG, (tag), 0, 8           /* its tag */
#define TABLE(part, off, width) IN_TABLE, (part), (off), (width)
#define FILE_LENGTH CUT, 0, 0, 0                       /* the file is that long */
#define ANY_PLACE ~0ull                                /* the place depends on where elfgen put things */

struct row {
    const char *name;
    enum part_kind kind;
    i64 index;
    u32 off, width;
    u64 value;
    int code;                         /* LDR_E_*, 0: must be accepted */
    u64 place;
};
/* The image of most rows: both hash tables, versions defined and needed, every kind of relocation table. */
extern const struct gen_options whole;
void row_is_judged(void **state);     /* reads by both rules; code and place as the row says, reported exactly once */
#endif
