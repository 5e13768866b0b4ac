/* why.h - `ldr pages --why OBJECT`: for each private copy of one object's pages, the relocations on the page and the variables that
 * differ from what the linker left there; over all processes measured; and what could be won.
 *
 * The order of things:
 *   1. copies.c   finds the object's private copies in the snapshot, reads them and asks cause_words (pages/cause.c) about every
 *                 word; what is needed later is kept by page and word, not the memory itself
 *   2. story.c    asks tools/debuginfo, once, who lives at the words that were written and at the places of relocations, and adds
 *                 up by piece (a member), variable, section and page
 *   3. totals.c sums up by section and finds what could be won; instructions.c names who wrote first, where that was recorded
 *   4. text.c, json.c   print that; listing.c  a bounded part of it, of several objects, for the page of --html
 *
 * "Copy" is a private page of one process (or one that fork left shared); "page" is a page of the object, of which there may be as
 * many copies as processes. Addresses are those of the file.
 */
#ifndef LDR_WHY_H
#define LDR_WHY_H

#include "../debuginfo/debuginfo.h"
#include "../host/collect.h"
#include "../host/places.h"
#include "../watch/watch.h"

struct json_object;

/* ---- what is asked ---- */

struct why_choice {
    char *object;        /* owned; a path or its last part */
    char *section;       /* owned; NULL: all */
    bool one_page;
    uint64_t page;       /* vaddr of the page */
    size_t top;          /* variables and pages listed in text, 0 = all */
    bool json;
    const char *writers; /* record of ldr run --watch-writes, NULL: none */
};

/* why_parse - OBJECT, OBJECT:SECTION or OBJECT:PAGE (hexadecimal with 0x, any address on the page)
 *   returns false when the word names no object ("" or ":..."), choice untouched */
bool why_parse(const char *word, struct why_choice *choice);
void why_choice_free(struct why_choice *choice);

/* why_report - everything, from the collection to the printed report
 *   returns an exit status of LDR_EXIT_*: PARTIAL when something could not be read, NO_TARGET when no process has the object */
int why_report(const struct collection *collection, const struct tally *tally, const struct why_choice *choice, bool complete);

/* why_listing - of the objects with most private copies, page by page, the relocations and variables that made them so: the member "why" of
 * the document that --html shows. Debug information is read for these objects only; how much is left out, by number or by time, is in it. */
struct json_object *why_listing(const struct collection *collection, const struct tally *tally);

/* ---- copies.c: what was found in memory ---- */

/* Where a pointer leads: the same place of an object has another address in each process. */
struct spot {
    uint32_t object;     /* index into the snapshot's, NO_SPOT: into none */
    uint64_t vaddr;
};
#define NO_SPOT UINT32_MAX

/* One word of a page, over all copies in which it was written, or is a relocation's with a symbol. */
struct why_word {
    uint32_t copies;
    uint8_t vary;        /* bit per byte: not the same in all of them */
    bool spots_vary;     /* not the same place, or in some no pointer */
    uint64_t value;      /* in the first of them, and what the linker had left there */
    uint64_t linked;
    struct spot spot;    /* of the value */
    struct spot linked_spot;
};

struct why_copy {
    uint32_t owner;
    uint8_t cause;                       /* enum page_cause */
    uint64_t frame;                      /* 0: not known, nobody else's */
    bool shared;                         /* another owner has the frame too */
    struct spot writer;                  /* the instruction that made it private, by the record of writers */
    char writer_kind;                    /* as in struct fault; K: f, of the kernel; '-': nobody; '?': nobody, but the kernel's are not recorded; 0: no record */
    bool counts;                         /* stands for its frame: of several owners of one only the first does */
    uint64_t written[CAUSE_WORDS / 64];  /* words, as of struct cause_words */
    uint64_t relocated[CAUSE_WORDS / 64];
    uint8_t *masks;                      /* for each written word the bytes of it that differ; NULL: none; owned */
};

struct why_page {
    uint64_t vaddr;
    struct why_copy *copies; /* by owner; owned */
    size_t copy_count;
    struct why_word *words;  /* CAUSE_WORDS; NULL: nothing written and no symbol's relocation; owned */
    uint32_t processes;      /* distinct owners with a copy */
    uint64_t frames;         /* distinct: physical pages spent */
    uint64_t causes[CAUSES]; /* of these frames */
    uint64_t mapped;         /* page-table entries for this page, copies or not, over all owners */
};

struct why_memory {
    uint32_t object;
    struct why_page *pages;  /* by address; owned */
    size_t page_count;
    uint32_t processes;      /* owners that map the object */
    uint64_t *mapped;        /* vaddrs of mapped pages, one for each entry, ascending; owned */
    size_t mapped_count;
    uint64_t unreadable;     /* owners whose memory may not be read */
    uint64_t changed;        /* copies that were others when their bytes came */
    bool refused;            /* the linker's readers refuse the file, or it could not be opened: words cannot be judged */
};
/* copies_read - PLACES as places_read has them; WRITERS may be NULL */
void copies_read(const struct collection *collection, uint32_t object, const struct places *places,
                 bool (*wanted)(const void *context, uint64_t page), const void *context, const struct writers *writers,
                 struct why_memory *memory);
void copies_free(struct why_memory *memory);
/* why_page_at - the page of that address; NULL: no copy of it, or not asked for */
struct why_page *why_page_at(const struct why_memory *memory, uint64_t vaddr);

/* ---- story.c: who that is ---- */

enum why_value {
    VALUE_SAME,       /* in all processes that wrote it */
    VALUE_SAME_PLACE, /* pointers to the same place, whose address differs */
    VALUE_DIFFERENT,
};

struct why_piece {
    const struct debuginfo_answer *answer;
    uint32_t variable;
    uint32_t page;       /* of its first written byte; index */
    uint32_t processes;  /* that wrote it */
    uint32_t bytes;      /* of it, that differ in any of them */
    enum why_value value;
    bool has_value;      /* it is one word or part of one: linked and now, in the first process */
    uint64_t linked, now;
    struct spot linked_spot, now_spot;
};

struct why_variable {
    const struct debuginfo_answer *answer; /* any of its pieces' */
    uint64_t vaddr, len; /* len 0: only a section is known */
    const char *section; /* "" when in none */
    /* written: */
    uint32_t processes;
    uint32_t bytes;
    enum why_value value;
    uint64_t written_copies; /* frames in which it was written */
    uint64_t alone_copies;   /* of these, with nothing else that keeps them from being the file's page */
    /* relocated: */
    uint64_t relocations;    /* places in it, on pages that are private somewhere */
    uint64_t relocated_copies;
    uint32_t first_page, last_page; /* of what is told here; index */
};

struct why_section {
    const struct debuginfo_section *section; /* NULL: outside of all */
    uint64_t pages;        /* of the object that hold a part of it */
    uint64_t mapped;       /* entries for them */
    uint64_t frames;       /* private copies of them, by cause: */
    uint64_t causes[CAUSES];
    uint64_t relocations;  /* places in it */
    uint64_t relocated_copies; /* copies in which one of these took effect */
    uint64_t written_copies;   /* copies in which a byte of it was written */
    uint64_t written_bytes;    /* distinct bytes of it, over all processes */
};

/* One relocation on a page that is private somewhere, and whom its place belongs to. */
struct why_relocation {
    const struct place *place;
    uint32_t page, variable;
    const struct debuginfo_answer *answer; /* of the place; NULL: none */
    bool bound;          /* a symbol's: where its value leads in the processes */
    struct spot spot;
    bool spots_vary;
    const char *target;  /* name of what is there; "" when not asked or not known; owned by the story's target answers */
    const char *target_path;
};

/* An instruction that made copies of a page private. */
struct why_writer {
    uint32_t page;
    struct spot spot;
    char kind;
    uint64_t copies;
    const struct debuginfo_answer *answer; /* function, file and line; NULL: not known */
};

/* Moving variables that are written off pages that nothing else makes private. */
struct why_savings {
    uint64_t frames;       /* copies that would be the file's pages again */
    uint64_t cost;         /* copies that the pages for the moved ones would need */
    uint64_t pages;        /* of the object */
    uint64_t bytes;        /* moved */
    uint32_t *variables;   /* indices, most won first; owned */
    size_t variable_count;
};

struct story {
    const struct collection *collection;
    const struct why_memory *memory;
    struct debuginfo *debuginfo;
    struct place_list places;
    struct why_piece *pieces;         /* by address */
    size_t piece_count;
    struct why_variable *variables;   /* by address */
    size_t variable_count;
    struct why_section *sections;     /* by address */
    size_t section_count;
    struct why_relocation *relocations; /* by address */
    size_t relocation_count;
    uint64_t frames, causes[CAUSES], shared_frames; /* of all pages: frames and their causes; inherited by fork or merged */
    struct why_savings savings;
    uint64_t *shared_won, shared_won_sum; /* by page: copies that one for all would save, which relocation alone made; and their sum */
    uint64_t *won;                      /* by page: copies to be won by moving what is written on it; 0 when that is larger than a page */
    double read_s, named_s;           /* seconds for the copies; for names */
    struct debuginfo_answers answers;
    struct why_writer *writers;         /* by page, most copies first */
    size_t writer_count;
    struct debuginfo_answers *writer_answers; /* by object: of their instructions; NULL: not asked */
    struct debuginfo_answers *targets; /* by object: what relocations are bound to; NULL: not asked */
};
void story_make(struct story *story, const struct collection *collection, const struct tally *tally, const struct why_memory *memory);
/* story_targets - finds names for where relocations lead; only who shows them needs it */
void story_targets(struct story *story);
void story_free(struct story *story);

/* totals.c, called by story_make */
void story_sections(struct story *story);
void story_savings(struct story *story);
void story_shared(struct story *story, const struct tally *tally);
/* instructions.c, likewise */
void story_writers(struct story *story);

/* pages_order - indices of the pages, most to be won first, then most copies; malloc'd */
size_t *pages_order(const struct story *story);
/* variables_order - likewise of the variables that were written or relocated; *count set */
size_t *variables_order(const struct story *story, size_t *count);

void story_text(const struct story *story, const struct why_choice *choice, const char *path);
void story_json(const struct story *story, const struct why_choice *choice, const char *path, bool exact);

#endif
