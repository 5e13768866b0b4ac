/* cause.h - why is this copy of a file page private? Pure: file bytes, memory bytes and relocated places in, a cause out.
 *
 * Words are 8 bytes, as relocations are. A word is the linker's when a relocation covers it, when it is a pointer of
 * .dynamic or one of the two GOT words the linker fills, or when it lies after the file data of a segment and was cleared.
 * Every other word that differs from the file was written by the program.
 */
#ifndef LDR_PAGES_CAUSE_H
#define LDR_PAGES_CAUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum page_cause {
    CAUSE_UNKNOWN,              /* memory or file could not be read, or the page changed meanwhile */
    CAUSE_RELOCATION,           /* only words of the linker's differ from the file */
    CAUSE_RELOCATION_AND_WRITE, /* such words and others */
    CAUSE_WRITE,                /* only others */
    CAUSE_IDENTICAL,            /* no byte differs: a needless copy */
    CAUSES
};

enum { CAUSE_WORDS = 512 }; /* of a page */

/* The linker's words of one page of an object. */
struct place_page {
    uint64_t vaddr;                        /* page aligned */
    uint64_t relocated[CAUSE_WORDS / 64];  /* bit per word */
    uint64_t relative[CAUSE_WORDS / 64];   /* of these: linked + load bias is what relocation leaves */
    uint64_t linked[CAUSE_WORDS];
};

/* All of them of one object file, by page; the same for every process. Zeroed: none. */
struct places {
    struct place_page **slots; /* open addressing by page; owned */
    size_t slot_count, count;
};
void places_free(struct places *places);

/* places_add - relocation writes len bytes from vaddr on, with a value that the file alone does not tell */
void places_add(struct places *places, uint64_t vaddr, uint64_t len);
/* places_add_relative - relocation leaves linked + load bias in the word at vaddr. Where another relocation covers the word
 * too, or vaddr is no multiple of 8, the value counts as not known. */
void places_add_relative(struct places *places, uint64_t vaddr, uint64_t linked);
/* places_at - the places of the page at vaddr, NULL if it has none */
const struct place_page *places_at(const struct places *places, uint64_t vaddr);

/* cause_of - compares one page
 *   in      memory    what the process has, CAUSE_WORDS words
 *           file      what the page cache has
 *           data_len  bytes from the page's start to the end of its segment's file data; the linker clears the rest when
 *                     the segment goes on in memory. The page's length when the data fill it.
 *           places    NULL: none on this page
 * A relative word with another value than relocation leaves counts as relocated and written. One that holds the file's value
 * still proves nothing by itself (the object may not be relocated yet), only on a page where other words are relocated. */
enum page_cause cause_of(const uint64_t *memory, const uint64_t *file, size_t data_len, const struct place_page *places,
                         uint64_t bias);

/* What is known of the single words of one page. A relative word that the program set elsewhere is in both sets. */
struct cause_words {
    uint64_t relocated[CAUSE_WORDS / 64]; /* bit per word: covered by a relocation, and not as in the file */
    uint64_t written[CAUSE_WORDS / 64];   /* not what the linker left there */
    uint64_t undone[CAUSE_WORDS / 64];    /* the file's own word stands where relocation leaves another: written only on a page
                                             that shows relocation */
    uint64_t linked[CAUSE_WORDS];         /* of a written word: what the linker left there; others are not set */
};

/* cause_words - the same judgement as cause_of, told word by word */
enum page_cause cause_words(const uint64_t *memory, const uint64_t *file, size_t data_len, const struct place_page *places,
                            uint64_t bias, struct cause_words *words);

#endif
