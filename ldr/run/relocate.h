/* relocate.h - what the files that relocate one object share: relocate.c (the order), batch.c (entries many at a time), entry.c (one entry),
 * relative.c (relative entries and the pages they write). */
#ifndef LDR_RELOCATE_H
#define LDR_RELOCATE_H

#include "run.h"

struct walk {
    struct object *object;
    u64 bias;
    u64 lo, len;                      /* writable hull: place - lo <= len - 8 */
    bool text_open;                   /* DT_TEXTREL: read-only segments are writable at the moment */
    /* the last reference answered: link editors sort entries by symbol */
    u32 last_symbol, last_classes;
    bool last_valid, last_found;
    struct binding last;
    u64 last_address;
    bool last_address_known;
    u32 own_reach;                    /* objects before this one in its first scope that are worth asking by bloom filter; 0: not the way */
    u64 irelative;                    /* entries met and put off */
    const struct hashed_name *hashed; /* of the entry being applied, or NULL */
    u32 plain_symbol;                 /* last symbol answered by apply_plain; 0: none */
    u64 plain_address;
    int worst;
};

/* place_fits - may `width` bytes at link-time address `place` be written? Nearly always one subtraction and one comparison. */
bool place_fits_segment(const struct walk *walk, u64 place, u64 width);
static inline bool place_fits(const struct walk *walk, u64 place, u64 width)
{
    return LIKELY(width <= 8 && place - walk->lo <= walk->len - 8) || place_fits_segment(walk, place, width);
}
int bad_place(const struct walk *walk, u64 place);             /* reports */

/* entry.c. They report; 0, a negative code, and of resolve() 1 for a weak reference that nothing answers. */
int apply_one(struct walk *walk, const Elf64_Rela *r);
int resolve(struct walk *walk, u32 symbol, u32 classes);     /* walk->last is the binding */
bool is_part_of_libc(const struct object *object);
bool chooses_late(const struct binding *found);
int set_text_writable(struct object *object, bool writable); /* text relocations: never writable and executable at once */

/* batch.c: entries until the end, or until an error that ends the walk (walk->worst). */
void apply_range(struct walk *walk, const Elf64_Rela *r, const Elf64_Rela *end);

/* relative.c */
struct page_run { u64 start, end; };  /* run-time addresses of pages to make private; empty: start == end */
void page_run_add(struct page_run *run, u64 addr);
void page_run_flush(struct page_run *run);
/* apply_relative - relative entries up to the first other one; returns where it stopped. */
const Elf64_Rela *apply_relative(const struct walk *walk, const Elf64_Rela *r, const Elf64_Rela *end);
int apply_relr(struct walk *walk);

#endif
