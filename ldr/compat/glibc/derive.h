/* derive.h - believe a row of glibc offsets only after the binaries confirm it; make a row when none is known.
 *
 * Both work from the images of ld.so and libc.so.6 alone, no debug info: sizes of exported symbols, the libthread_db
 * descriptors libc exports, ld.so's relocation slots and static data, and a few tiny functions whose code names one
 * offset. Call them on freshly mapped images, before the loader writes into ld.so's data (the static values are part
 * of the evidence); relocated or not makes no difference. No allocation, no globals, no libc; every read is bounded.
 *
 * A derived row is as good as its nearest known row: fields no evidence speaks of are placed between fields it does
 * speak of, and only where both neighbours moved equally. That is sound for another build of the same release. It is
 * a guess for another release (a field may have been replaced by one of other meaning, 2.43's stack_prot_flags):
 * compare out->version with nearest->version and refuse, unless the person asked for it.
 */
#ifndef LDR_COMPAT_GLIBC_DERIVE_H
#define LDR_COMPAT_GLIBC_DERIVE_H

#include <stdint.h>

#include "layout.h"

/* Readable bytes of one mapped segment: vaddr .. vaddr + len of the file are at base. Borrowed. */
struct glibc_span {
    const uint8_t *base;
    uint64_t vaddr;
    uint64_t len;
};

struct glibc_image {
    const struct glibc_span *spans;
    unsigned span_count;
};

enum glibc_object { GLIBC_LD, GLIBC_LIBC };

/* The pair under examination. The first span of each image must begin with the ELF header.
 * find: a defined dynamic symbol of that name, of any version, IFUNCs included (value = resolver); vaddr without load
 * bias. Returns 1 and fills both, or 0. */
struct glibc_images {
    struct glibc_image object[2]; /* by enum glibc_object */
    int (*find)(void *ctx, enum glibc_object object, const char *name, uint64_t *vaddr, uint64_t *size);
    void *ctx;
};

enum glibc_error {
    GLIBC_E_NO_SYMBOL = 1, /* a symbol that every glibc >= 2.34 exports is missing: field is its name */
    GLIBC_E_MISMATCH,      /* the row says one thing, the binaries another */
    GLIBC_E_CONTRADICTION, /* two pieces of evidence disagree: not a pair that belongs together */
    GLIBC_E_RANGE,         /* the row's offset lies outside its structure */
    GLIBC_E_UNPLACED,      /* derive: a field that must be there can be placed nowhere with certainty */
    GLIBC_E_NO_ROW         /* derive: no known row to start from */
};

/* What went wrong. field is a member of struct glibc_layout, or a symbol (NO_SYMBOL). expected is the row's word (the
 * limit for RANGE, the earlier evidence for CONTRADICTION); found is what the binary says. source names the evidence;
 * "" when there is none. All strings are static. */
struct glibc_mismatch {
    const char *field;
    const char *source;
    uint32_t expected;
    uint32_t found;
};

/* How much evidence to use. QUICK: about ten symbol look-ups, enough to catch a libc.so.6 that does not belong to this
 * ld.so. DATA: all descriptors, relocation slots and static data. CODE: also the decoded functions, whose form depends
 * on the compiler; meant for tests and for derivation. */
enum glibc_depth { GLIBC_QUICK, GLIBC_DATA, GLIBC_CODE };

/* glibc_row_find - the row of exactly these two builds, or NULL. */
const struct glibc_layout *glibc_row_find(const struct glibc_layout *rows, unsigned count, const uint8_t ld_id[20],
                                          const uint8_t libc_id[20]);

/* glibc_row_check - compare a row with the binaries.
 *   out     why     filled on failure only
 *   returns 0, or -GLIBC_E_NO_SYMBOL, -GLIBC_E_MISMATCH, -GLIBC_E_RANGE
 */
int glibc_row_check(const struct glibc_images *images, const struct glibc_layout *row, enum glibc_depth depth,
                    struct glibc_mismatch *why);

/* glibc_row_derive - make a row for a pair that has none.
 *   in      rows      known rows, tried by likeness of the structure sizes
 *   out     out       complete on success: version and build-ids are the binaries' own; hidden symbols (ld_*, libc_*)
 *                     are GLIBC_ABSENT. Undefined on failure.
 *           nearest   the row it was made from; see the warning at the top
 *           why       filled on failure only
 *   returns 0, or -GLIBC_E_NO_SYMBOL, -GLIBC_E_CONTRADICTION, -GLIBC_E_UNPLACED, -GLIBC_E_NO_ROW
 */
int glibc_row_derive(const struct glibc_images *images, const struct glibc_layout *rows, unsigned count,
                     struct glibc_layout *out, const struct glibc_layout **nearest, struct glibc_mismatch *why);

/* glibc_word_count, glibc_word_name - the words of a row in order, for comparing rows and for messages. Word 0 is
 * g_size; glibc_words gives the array. An index out of range is named "?". */
unsigned glibc_word_count(void);
const char *glibc_word_name(unsigned word);
static inline const uint32_t *glibc_words(const struct glibc_layout *row)
{
    return &row->g_size;
}

#endif
