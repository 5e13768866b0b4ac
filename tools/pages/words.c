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
    free(owner->contents);
    owner->words = NULL;
    owner->wide = NULL;
    owner->contents = NULL;
    owner->word_count = owner->wide_count = owner->wide_room = owner->content_count = owner->content_room = 0;
}

static uint32_t small_word(enum method method, uint64_t place) {
    uint32_t file = place & PM_FILE ? WORD_FILE : 0;
    if (method == METHOD_FRAMES)
        return file | (uint32_t)(place & PM_FRAME);
    return file | (place & PM_EXCLUSIVE ? WORD_EXCLUSIVE : WORD_NOT_EXCLUSIVE);
}

static bool fits(enum method method, uint64_t place) {
    if (place & PM_SWAPPED || !(place & PM_PRESENT))
        return false;
    return method == METHOD_IDENTITY || ((place & PM_FRAME) && !(place & PM_FRAME & ~(uint64_t)WORD_FRAME));
}

bool word_set(struct owner *owner, enum method method, size_t at, uint64_t place) {
    uint32_t old = owner->words[at];
    if (!place || fits(method, place)) {
        uint32_t word = place ? small_word(method, place) : 0;
        if ((old & ~WORD_CAUSE) == word)
            return false;
        owner->words[at] = word;
        return true;
    }
    if (old & WORD_WIDE) {
        uint64_t *wide = &owner->wide[old & WORD_INDEX];
        if (*wide == place)
            return false;
        *wide = place;
        owner->words[at] = old & ~WORD_CAUSE;
        return true;
    }
    if (owner->wide_count == owner->wide_room)
        owner->wide = must_grow(owner->wide, owner->wide_room = owner->wide_room * 2 + 16, sizeof *owner->wide);
    if (owner->wide_count == WORD_INDEX) {
        warn_ldr("more than %u pages of one process in swap or beyond 512 GiB", WORD_INDEX);
        exit(LDR_EXIT_FAILED);
    }
    owner->wide[owner->wide_count] = place;
    owner->words[at] = WORD_WIDE | owner->wide_count++;
    return true;
}

void content_add(struct owner *owner, size_t at, struct digest digest) {
    if (owner->content_count == owner->content_room)
        owner->contents = must_grow(owner->contents, owner->content_room = owner->content_room * 2 + 64, sizeof *owner->contents);
    owner->contents[owner->content_count++] = (struct content){ at, digest };
}

void cause_set(struct owner *owner, size_t at, enum page_cause cause) {
    owner->words[at] = (owner->words[at] & ~WORD_CAUSE) | (uint32_t)cause << WORD_CAUSE_SHIFT;
}
