/* story.h - the story of one symbol: who refers to it, which objects were asked in which order, why each lost, who won. */
#ifndef LDR_EXPLAIN_STORY_H
#define LDR_EXPLAIN_STORY_H

#include "names.h"
#include "refusal.h"
#include "relocs.h"
#include "root.h"

enum { PLACES_MAX = 4 };
struct json_object;

/* One object asked for the symbol. */
struct asked {
    const struct object *object;
    u32 scope;                        /* which of the referrer's scopes: 0 first */
    bool passed_over;                 /* the program, by a copy relocation */
    bool answers;
    const struct definition *entries; /* of that name, whatever they are worth */
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
    const struct asked *asked;        /* in search order; shared by references that ask for the same */
    u32 asked_count, winner;          /* index into asked; asked_count: none of them (local, protected, undefined) */
    u32 copy;                         /* symbol of the program's copy relocation that made what it binds to; 0: none */
    struct story_reference *next, *next_in_bucket;
};
/* A name that the link editor bound by itself: no relocation and no search is left of it. */
struct link_time {
    const struct object *object;      /* NULL: it is not so */
    struct full_symbol symbol;
};
struct story {
    struct session *session;
    const char *name, *version;       /* version NULL: any */
    struct story_reference *references, *last;
    u32 reference_count;
    bool source;                      /* in: tell source lines too */
    bool hypothetical;                /* nobody refers to it: this is what a search from the program would find */
    struct link_time link_time;       /* only then */
    struct refusal refusal;           /* the program does not come to its first lookup */
    struct entries *entries;          /* by node number */
};
/* why_story_symbol - everything about a name; memory of the session. */
void why_story_symbol(struct story *story, struct session *session, const char *name, const char *version);
/* why_story_only - keeps the references of one relocation: same object, symbol and kind. */
void why_story_only(struct story *story, const struct object *by, u32 symbol, u32 classes);
/* why_story_text, why_story_json - returns whether the symbol is known at all: referred to or defined. */
bool why_story_text(const struct story *story, u32 most);
bool why_story_json(const struct story *story);
/* why_story_object - what why_story_json prints; the caller's to put. */
struct json_object *why_story_object(const struct story *story, bool *known);
/* why_story_static - a statically linked program, and nothing of the name in it: what another library has is of no use to it. */
bool why_story_static(const struct story *story);
/* why_story_cause - one sentence: the reason for the result of a reference; malloc'd */
char *why_story_cause(const struct story *story, const struct story_reference *reference);
/* why_story_lost - why nobody answers a reference; `where`: the object that all but does, or lacks the version, or is missing. */
enum lost_kind { LOST_VERSION, LOST_REFUSED, LOST_SEVERAL, LOST_LIBRARY, LOST_LOCAL, LOST_NOWHERE };
struct lost_reason {
    enum lost_kind kind;
    const struct object *where;
    const struct definition *refused; /* LOST_REFUSED */
    struct full_symbol full;          /* LOST_LOCAL */
};
struct lost_reason why_story_lost(const struct story *story, const struct story_reference *reference);

#endif
