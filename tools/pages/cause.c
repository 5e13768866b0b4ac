/* cause.c - word by word: relocated, written, or as in the file. See cause.h for the rules. */
#include "cause.h"
#include "../ldr.h"

#include <emmintrin.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_BYTES = CAUSE_WORDS * 8, SLOTS_MIN = 64 };

/* ---- places ---- */

static size_t slot_of(const struct places *places, uint64_t page) {
    size_t at = (size_t)(((page / PAGE_BYTES) * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (places->slot_count - 1);
    while (places->slots[at] && places->slots[at]->vaddr != page)
        at = (at + 1) & (places->slot_count - 1);
    return at;
}

static void grow(struct places *places) {
    struct places bigger = { .slot_count = places->slot_count ? places->slot_count * 2 : SLOTS_MIN, .count = places->count };
    bigger.slots = must_alloc(bigger.slot_count, sizeof *bigger.slots);
    for (size_t i = 0; i < places->slot_count; i++)
        if (places->slots[i])
            bigger.slots[slot_of(&bigger, places->slots[i]->vaddr)] = places->slots[i];
    free(places->slots);
    *places = bigger;
}

static struct place_page *page_for(struct places *places, uint64_t vaddr) {
    uint64_t page = vaddr & ~(uint64_t)(PAGE_BYTES - 1);
    if (places->count * 4 >= places->slot_count * 3)
        grow(places);
    struct place_page **slot = &places->slots[slot_of(places, page)];
    if (!*slot) {
        *slot = must_alloc(1, sizeof **slot);
        (*slot)->vaddr = page;
        places->count++;
    }
    return *slot;
}

const struct place_page *places_at(const struct places *places, uint64_t vaddr) {
    return places->slot_count ? places->slots[slot_of(places, vaddr & ~(uint64_t)(PAGE_BYTES - 1))] : NULL;
}

void places_free(struct places *places) {
    for (size_t i = 0; i < places->slot_count; i++)
        free(places->slots[i]);
    free(places->slots);
    *places = (struct places){ 0 };
}

void places_add(struct places *places, uint64_t vaddr, uint64_t len) {
    uint64_t last;
    if (len == 0 || __builtin_add_overflow(vaddr, len - 1, &last))
        return;
    for (uint64_t word = vaddr / 8; word <= last / 8; word++) {
        struct place_page *page = page_for(places, word * 8);
        uint64_t bit = UINT64_C(1) << (word % 64);
        size_t group = word % CAUSE_WORDS / 64;
        page->relocated[group] |= bit;
        page->relative[group] &= ~bit;
    }
}

void places_add_relative(struct places *places, uint64_t vaddr, uint64_t linked) {
    if (vaddr % 8) {
        places_add(places, vaddr, 8);
        return;
    }
    struct place_page *page = page_for(places, vaddr);
    size_t word = vaddr / 8 % CAUSE_WORDS, group = word / 64;
    uint64_t bit = UINT64_C(1) << (word % 64);
    if (page->relocated[group] & bit) {
        page->relative[group] &= ~bit;
        return;
    }
    page->relocated[group] |= bit;
    page->relative[group] |= bit;
    page->linked[word] = linked;
}

/* ---- comparison ---- */

/* The file's word as the linker leaves it where it cleared what follows the file data. */
static uint64_t cleared(uint64_t word, size_t index, size_t data_len) {
    if (index * 8 >= data_len)
        return 0;
    size_t kept = data_len - index * 8;
    return kept >= 8 ? word : word & ((UINT64_C(1) << (kept * 8)) - 1);
}

static void tell_written(struct cause_words *words, size_t word, uint64_t linked, bool differs) {
    uint64_t bit = UINT64_C(1) << (word % 64);
    words->written[word / 64] |= bit;
    if (!differs)
        words->undone[word / 64] |= bit;
    words->linked[word] = linked;
}

/* Bit i: a[i] is not b[i] + add. 64 words, two at a time (SSE2 is part of x86-64). */
static uint64_t differing(const uint64_t *a, const uint64_t *b, uint64_t add) {
    const __m128i adds = _mm_set1_epi64x((long long)add);
    uint64_t differ = 0;
    for (size_t i = 0; i < 64; i += 2) {
        __m128i left = _mm_loadu_si128((const __m128i *)(const void *)(a + i));
        __m128i right = _mm_add_epi64(_mm_loadu_si128((const __m128i *)(const void *)(b + i)), adds);
        __m128i equal = _mm_cmpeq_epi32(left, right); /* halves of words */
        equal = _mm_and_si128(equal, _mm_shuffle_epi32(equal, _MM_SHUFFLE(2, 3, 0, 1)));
        differ |= (uint64_t)(~_mm_movemask_pd(_mm_castsi128_pd(equal)) & 3) << i;
    }
    return differ;
}

/* One judgement for both questions: with WORDS every word is told, without it the answer comes as soon as it is certain. */
static inline enum page_cause judge(const uint64_t *memory, const uint64_t *file, size_t data_len, const struct place_page *places,
                                    uint64_t bias, struct cause_words *words) {
    /* undone: relative words that hold what the file has, though relocation would have left something else */
    bool relocated = false, written = false, undone = false, any = false;
    for (size_t group = 0; group < CAUSE_WORDS / 64; group++) {
        const uint64_t *now = memory + group * 64, *was = file + group * 64;
        uint64_t relative = places ? places->relative[group] : 0;
        uint64_t differ = memcmp(now, was, 64 * 8) == 0 ? 0 : differing(now, was, 0);
        if (!differ && !relative)
            continue;
        any |= differ != 0;
        uint64_t places_here = places ? places->relocated[group] : 0;
        relocated |= (differ & places_here) != 0;
        if (words)
            words->relocated[group] = differ & places_here;
        if (relative) {
            uint64_t wrong = relative & differing(now, places->linked + group * 64, bias);
            written |= (wrong & differ) != 0;
            undone |= (wrong & ~differ) != 0;
            for (uint64_t left = words ? wrong : 0; left; left &= left - 1) {
                size_t i = (size_t)__builtin_ctzll(left), word = group * 64 + i;
                tell_written(words, word, places->linked[word] + bias, differ >> i & 1);
            }
        }
        for (uint64_t left = differ & ~places_here; left; left &= left - 1) {
            size_t word = group * 64 + (size_t)__builtin_ctzll(left);
            uint64_t linked = cleared(file[word], word, data_len);
            if (word * 8 + 8 > data_len && memory[word] == linked) {
                relocated = true; /* the linker's clearing */
                continue;
            }
            written = true;
            if (words)
                tell_written(words, word, linked, true);
            else if (relocated || data_len == PAGE_BYTES)
                break; /* else a cleared word may follow */
        }
        if (!words && relocated && written)
            return CAUSE_RELOCATION_AND_WRITE;
        if (!words && written && !places && data_len >= PAGE_BYTES)
            return CAUSE_WRITE; /* nothing on this page can still turn out to be the linker's */
    }
    /* where nothing shows that the object is relocated at all, words as in the file are no writes */
    for (size_t group = 0; words && !relocated && group < CAUSE_WORDS / 64; group++)
        words->written[group] &= ~words->undone[group];
    if (!any)
        return CAUSE_IDENTICAL;
    written |= relocated && undone;
    if (relocated)
        return written ? CAUSE_RELOCATION_AND_WRITE : CAUSE_RELOCATION;
    return CAUSE_WRITE; /* something differs */
}

enum page_cause cause_of(const uint64_t *memory, const uint64_t *file, size_t data_len, const struct place_page *places,
                         uint64_t bias) {
    return judge(memory, file, data_len, places, bias, NULL);
}

enum page_cause cause_words(const uint64_t *memory, const uint64_t *file, size_t data_len, const struct place_page *places,
                            uint64_t bias, struct cause_words *words) {
    memset(words->relocated, 0, sizeof words->relocated);
    memset(words->written, 0, sizeof words->written);
    memset(words->undone, 0, sizeof words->undone);
    return judge(memory, file, data_len, places, bias, words);
}
