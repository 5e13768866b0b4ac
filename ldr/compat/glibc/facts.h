/* facts.h - evidence about glibc's layout, one statement at a time: "member M is V, because of S". Internal to
 * derive.c; facts.c finds them, derive.c compares or collects them.
 */
#ifndef LDR_COMPAT_GLIBC_FACTS_H
#define LDR_COMPAT_GLIBC_FACTS_H

#include <stddef.h>

#include "derive.h"

/* Index of a member among the words of a row. */
#define GLIBC_WORD(member) ((unsigned)((offsetof(struct glibc_layout, member) - offsetof(struct glibc_layout, g_size)) / 4))

struct glibc_fact {
    unsigned word;      /* GLIBC_WORD of the member */
    const char *source; /* symbol or table it was read from */
    uint32_t value;     /* may be GLIBC_ABSENT: the evidence shows that there is no such field */
};

/* Called for every fact; a non-zero answer ends the walk and becomes its result. */
typedef int (*glibc_fact_fn)(void *ctx, const struct glibc_fact *fact);

/* glibc_facts - walk the evidence up to `depth`. A missing optional symbol or an unfamiliar piece of code gives no
 * fact; the same member may be stated more than once.
 *   returns 0, what `visit` answered, or -GLIBC_E_NO_SYMBOL with why->field
 */
int glibc_facts(const struct glibc_images *images, enum glibc_depth depth, glibc_fact_fn visit, void *ctx,
                struct glibc_mismatch *why);

/* glibc_image_version - the release libc.so.6 says it is ("2.36"), or "" when unreadable. */
void glibc_image_version(const struct glibc_images *images, char version[8]);

/* glibc_image_build_id - NT_GNU_BUILD_ID of 20 bytes from the program headers; zeros when there is none. */
void glibc_image_build_id(const struct glibc_image *image, uint8_t id[20]);

#endif
