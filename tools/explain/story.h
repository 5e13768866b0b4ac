/* story.h - the story of one symbol: who refers to it, which objects were asked in which order, why each lost, who won. */
#ifndef LDR_EXPLAIN_STORY_H
#define LDR_EXPLAIN_STORY_H

#include "names.h"
#include "relocs.h"
#include "root.h"

enum { ENTRIES_MAX = 8, PLACES_MAX = 4 };

/* One object asked for the symbol. */
struct asked {
    const struct object *object;
    u32 scope;                        /* which of the referrer's scopes: 0 first */
    bool passed_over;                 /* the program, by a copy relocation */
    bool answers;
    struct definition entries[ENTRIES_MAX];        /* of that name, whatever they are worth */
    u32 entry_count;
};
/* References of one object to the symbol that ask for the same. */
struct story_reference {
    struct object *by;
    u32 symbol, classes;
    const struct version *version;
    struct reloc_record places[PLACES_MAX];
    u32 place_count;
    bool weak, local;                 /* an undefined weak reference; bound locally without a search */
    int result;                       /* as session_bind */
    struct binding found;
    const struct object *by_scope;    /* who answers the search; another than found.object for a unique symbol that is settled already */
    struct asked *asked;              /* in search order, up to the winner and past it where the name is met again */
    u32 asked_count, winner;          /* index into asked; asked_count: none of them (local, protected, undefined) */
    struct story_reference *next;
};
struct story {
    const struct session *session;
    const char *name, *version;       /* version NULL: any */
    struct story_reference *references, *last;
    u32 reference_count;
    bool hypothetical;                /* nobody refers to it: this is what a search from the program would find */
};
/* why_story_symbol - everything about a name; memory of the session. */
void why_story_symbol(struct story *story, struct session *session, const char *name, const char *version);
/* why_story_only - keeps the references of one relocation: same object, symbol and kind. */
void why_story_only(struct story *story, const struct object *by, u32 symbol, u32 classes);
/* why_story_text, why_story_json - returns whether the symbol is known at all: referred to or defined. */
bool why_story_text(const struct story *story, u32 most);
bool why_story_json(const struct story *story);
/* why_story_cause - one sentence: the reason for the result of a reference; malloc'd */
char *why_story_cause(const struct story *story, const struct story_reference *reference);

#endif
