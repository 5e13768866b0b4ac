/* why.h - the story of one symbol: who refers to it, which objects were asked in which order, why each lost, who won. */
#ifndef LDR_EXPLAIN_WHY_H
#define LDR_EXPLAIN_WHY_H

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
struct why_reference {
    struct object *by;
    u32 symbol, classes;
    const struct version *version;
    struct reloc_record places[PLACES_MAX];
    u32 place_count;
    bool weak, local;                 /* an undefined weak reference; bound locally without a search */
    int result;                       /* as session_bind */
    struct binding found;
    struct asked *asked;              /* in search order, up to the winner and past it where the name is met again */
    u32 asked_count, winner;          /* index into asked; asked_count: none of them (local, protected, undefined) */
    struct why_reference *next;
};
struct why {
    const struct session *session;
    const char *name, *version;       /* version NULL: any */
    struct why_reference *references, *last;
    u32 reference_count;
    bool hypothetical;                /* nobody refers to it: this is what a search from the program would find */
};
/* why_symbol - everything about a name; memory of the session. */
void why_symbol(struct why *why, struct session *session, const char *name, const char *version);
/* why_text, why_json - returns whether the symbol is known at all: referred to or defined. */
bool why_text(const struct why *why, u32 most);
bool why_json(const struct why *why);
/* why_cause - one sentence: the reason for the result of a reference; malloc'd */
char *why_cause(const struct why *why, const struct why_reference *reference);

#endif
