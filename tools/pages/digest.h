/* digest.h - do two processes have the same bytes on a page? Told by 16 bytes for each page, so that no page need be kept.
 *
 * With a key drawn at random for each run the chance that two pages of different bytes have equal digests is 2^-128, whatever the bytes
 * are and whoever chose them: equal digests are taken for equal pages.
 */
#ifndef LDR_PAGES_DIGEST_H
#define LDR_PAGES_DIGEST_H

#include "cause.h"

struct digest { uint64_t half[2]; };

/* Random bytes throughout, filled by whoever may ask the kernel for them; pages are comparable under one key only. */
struct digest_key {
    struct { unsigned __int128 start, word[CAUSE_WORDS]; } half[2];
};

/* digest_make - of a page's CAUSE_WORDS words */
struct digest digest_make(const struct digest_key *key, const uint64_t *page);

#endif
