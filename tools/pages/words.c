/* words.c - what a page-table word says, in 32 bits.
 *
 *   31     30..28   27    26..0
 *   wide   cause    file  METHOD_FRAMES: frame number, from 1; METHOD_IDENTITY: 1 exclusive, 2 not
 *
 * Words that do not fit (frames beyond 512 GiB, swap slots) are wide: their low bits are an index into a list. All zero is no
 * page. cause is enum page_cause, CAUSE_UNKNOWN being 0.
 */
#include "pages.h"
#include "../ldr.h"

#include <stdlib.h>

#define WIDE (UINT32_C(1) << 31)
#define SMALL_FILE (UINT32_C(1) << 27)
enum { CAUSE_SHIFT = 28, FRAME_BITS = 27, EXCLUSIVE = 1, NOT_EXCLUSIVE = 2 };
#define SMALL_FRAME ((UINT32_C(1) << FRAME_BITS) - 1)
#define CAUSE_MASK (UINT32_C(7) << CAUSE_SHIFT)
#define WIDE_INDEX ((UINT32_C(1) << CAUSE_SHIFT) - 1)

_Static_assert(CAUSES <= 8 && CAUSE_UNKNOWN == 0, "a cause is three bits");

void words_make(struct owner *owner, size_t word_count) {
    owner->words = must_alloc(word_count, sizeof *owner->words);
    owner->word_count = word_count;
    owner->wide = NULL;
    owner->wide_count = owner->wide_room = 0;
}

void words_free(struct owner *owner) {
    free(owner->words);
    free(owner->wide);
    owner->words = NULL;
    owner->wide = NULL;
    owner->word_count = owner->wide_count = owner->wide_room = 0;
}

uint64_t word_get(const struct owner *owner, enum method method, size_t at) {
    uint32_t word = owner->words[at] & ~CAUSE_MASK;
    if (word & WIDE)
        return owner->wide[word & WIDE_INDEX];
    if (!word)
        return 0;
    uint64_t place = PM_PRESENT | (word & SMALL_FILE ? PM_FILE : 0);
    if (method == METHOD_FRAMES)
        return place | (word & SMALL_FRAME);
    return place | ((word & SMALL_FRAME) == EXCLUSIVE ? PM_EXCLUSIVE : 0);
}

static uint32_t small_word(enum method method, uint64_t place) {
    uint32_t file = place & PM_FILE ? SMALL_FILE : 0;
    if (method == METHOD_FRAMES)
        return file | (uint32_t)(place & PM_FRAME);
    return file | (place & PM_EXCLUSIVE ? EXCLUSIVE : NOT_EXCLUSIVE);
}

static bool fits(enum method method, uint64_t place) {
    if (place & PM_SWAPPED || !(place & PM_PRESENT))
        return false;
    return method == METHOD_IDENTITY || ((place & PM_FRAME) && !(place & PM_FRAME & ~(uint64_t)SMALL_FRAME));
}

bool word_set(struct owner *owner, enum method method, size_t at, uint64_t place) {
    uint32_t old = owner->words[at];
    if (!place || fits(method, place)) {
        uint32_t word = place ? small_word(method, place) : 0;
        if ((old & ~CAUSE_MASK) == word)
            return false;
        owner->words[at] = word;
        return true;
    }
    if (old & WIDE) {
        uint64_t *wide = &owner->wide[old & WIDE_INDEX];
        if (*wide == place)
            return false;
        *wide = place;
        owner->words[at] = old & ~CAUSE_MASK;
        return true;
    }
    if (owner->wide_count == owner->wide_room)
        owner->wide = must_grow(owner->wide, owner->wide_room = owner->wide_room * 2 + 16, sizeof *owner->wide);
    if (owner->wide_count == WIDE_INDEX) {
        warn_ldr("more than %u pages of one process in swap or beyond 512 GiB", WIDE_INDEX);
        exit(LDR_EXIT_FAILED);
    }
    owner->wide[owner->wide_count] = place;
    owner->words[at] = WIDE | owner->wide_count++;
    return true;
}

enum page_cause cause_get(const struct owner *owner, size_t at) { return (enum page_cause)(owner->words[at] >> CAUSE_SHIFT & 7); }

void cause_set(struct owner *owner, size_t at, enum page_cause cause) {
    owner->words[at] = (owner->words[at] & ~CAUSE_MASK) | (uint32_t)cause << CAUSE_SHIFT;
}
