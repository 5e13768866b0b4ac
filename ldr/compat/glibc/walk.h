/* walk.h - what facts.c and decode.c share: the walk's state, bounded reading, stating a fact. Internal. */
#ifndef LDR_COMPAT_GLIBC_WALK_H
#define LDR_COMPAT_GLIBC_WALK_H

#include "facts.h"

struct walk {
    const struct glibc_images *images;
    glibc_fact_fn visit;
    void *ctx;
    struct glibc_mismatch *why;
    uint64_t g, g_size, ro, ro_size; /* the two exported structures of ld.so: vaddr and st_size */
    int result;                      /* first non-zero answer; ends the walk */
};

/* `len` readable bytes at vaddr, or NULL. */
const uint8_t *glibc_bytes_at(const struct glibc_image *image, uint64_t vaddr, uint64_t len);

/* An address from a dynamic tag, whether or not a loader has added its bias in place. */
uint64_t glibc_vaddr_of(const struct glibc_image *image, uint64_t value);

/* d_val of a dynamic tag. Returns 0 when the object has no such tag. */
int glibc_dynamic_value(const struct glibc_image *image, int64_t tag, uint64_t *value);

void glibc_state(struct walk *walk, unsigned word, uint64_t value, const char *source);

#define STATE(walk, member, value, source) glibc_state(walk, GLIBC_WORD(member), value, source)

static inline int walk_find(struct walk *walk, enum glibc_object object, const char *name, uint64_t *vaddr,
                            uint64_t *size)
{
    return walk->images->find(walk->images->ctx, object, name, vaddr, size);
}

static inline uint32_t u32_of(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t u64_of(const uint8_t *p)
{
    return u32_of(p) | (uint64_t)u32_of(p + 4) << 32;
}

/* The bytes at p begin with `text`; the caller knows that enough of them are readable. */
static inline int text_is(const uint8_t *p, const char *text)
{
    while (*text)
        if (*p++ != (uint8_t)*text++)
            return 0;
    return 1;
}

/* glibc_code_facts - the facts of decode.c: offsets named by small functions. */
void glibc_code_facts(struct walk *walk);

#endif
