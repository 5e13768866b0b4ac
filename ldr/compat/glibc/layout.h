/* layout.h - where glibc keeps its private state: one row of offsets per pair of builds (ld.so, libc.so.6).
 *
 * The loader fills glibc's _rtld_global, _rtld_global_ro, link maps and the main thread's struct pthread; none of these
 * has a public layout and all of them change between releases. A row says where everything is for exactly one pair of
 * build-ids. Rows are written by tools/gen/glibc_layout.c from the distribution's debug files and committed under
 * layout/; derive.h makes a row without debug info and checks any row against the binaries before it is believed.
 * Which members exist, and who reads them, is listed once: layout/fields.def.
 * Freestanding: types and constants only. No other file may contain an offset into glibc's structures.
 */
#ifndef LDR_COMPAT_GLIBC_LAYOUT_H
#define LDR_COMPAT_GLIBC_LAYOUT_H

#include <stdint.h>

/* Value of a word whose field this version of glibc does not have. Test before use: no version has every MAY field. */
#define GLIBC_ABSENT 0xffffffffu

/* struct glibc_layout - one row. Every word is a uint32_t: bytes from the start of its structure unless fields.def
 * says size, stride, count, bit number or vaddr. Filled by a generated initialiser (layout/rows.h) or by derive.c. */
struct glibc_layout {
    char version[8];           /* "2.36", NUL-terminated */
    uint8_t ld_build_id[20];   /* NT_GNU_BUILD_ID of ld-linux-x86-64.so.2 */
    uint8_t libc_build_id[20]; /* NT_GNU_BUILD_ID of libc.so.6 */
#define GLIBC_OFF(member, need, structure, path) uint32_t member;
#define GLIBC_BIT(member, need, structure, path) uint32_t member##_byte, member##_bit;
#define GLIBC_DIM(member, what, need, structure, path) uint32_t member;
#define GLIBC_SYM(member, object, need, symbol) uint32_t member;
#define GLIBC_SUM(member, base) uint32_t member;
#include "layout/fields.def"
#undef GLIBC_OFF
#undef GLIBC_BIT
#undef GLIBC_DIM
#undef GLIBC_SYM
#undef GLIBC_SUM
};

/* glibc_has - does this version have the field? `if (glibc_has(row->ro_readonly_area)) ...` */
static inline int glibc_has(uint32_t word)
{
    return word != GLIBC_ABSENT;
}

/* glibc_info_index - position of dynamic tag `tag` in l_info[], or GLIBC_ABSENT when the array has no place for it.
 *   in      row    lm_info_count filled
 *           tag    d_tag of a dynamic entry
 *   source  glibc elf/dl-load and <link.h> of the build: the array is standard (and processor) tags, 16 version tags,
 *           3 extra, 12 value and 11 address tags, the last four groups counted downwards from their highest tag
 */
static inline uint32_t glibc_info_index(const struct glibc_layout *row, int64_t tag)
{
    uint32_t count = row->lm_info_count;
    if (tag >= 0 && tag < (int64_t)count - 42 && tag < 38)
        return (uint32_t)tag;
    if (tag <= 0x6fffffff && tag > 0x6fffffff - 16)   /* DT_VERNEEDNUM down to DT_VERSYM 0x6ffffff0 */
        return count - 42 + (uint32_t)(0x6fffffff - tag);
    if (tag <= 0x7fffffff && tag > 0x7fffffff - 3)    /* DT_FILTER, DT_USED, DT_AUXILIARY */
        return count - 26 + (uint32_t)(0x7fffffff - tag);
    if (tag <= 0x6ffffdff && tag > 0x6ffffdff - 12)   /* DT_VALRNGHI down */
        return count - 23 + (uint32_t)(0x6ffffdff - tag);
    if (tag <= 0x6ffffeff && tag > 0x6ffffeff - 11)   /* DT_ADDRRNGHI down; DT_GNU_HASH is the last */
        return count - 11 + (uint32_t)(0x6ffffeff - tag);
    return GLIBC_ABSENT;
}

#endif
