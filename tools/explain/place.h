/* place.h - from an address to the relocation that fills it: a word of the GOT or of data, or a PLT entry that jumps through one. */
#ifndef LDR_EXPLAIN_PLACE_H
#define LDR_EXPLAIN_PLACE_H

#include "relocs.h"

#include <sys/types.h>

struct place {
    struct object *object;
    u64 vaddr;                        /* as asked, link-time */
    bool in_plt;                      /* code that jumps through the word of `record` */
    bool found;
    struct reloc_record record;
};
/* place_find - the relocation at a link-time address of an object. */
struct place place_find(struct object *object, u64 vaddr);
/* place_object - the object that a user's word means; NULL: none. */
struct object *place_object(const struct session *session, const char *word);
/* place_text - the headline and, for a word that needs no lookup, what it holds; malloc'd lines. *symbol: the name whose story goes on,
 * NULL: none. */
char *place_text(const struct place *place, const char **symbol);

/* A running process. */
struct process_view {
    pid_t pid;
    u64 *bias;                        /* by node number; ~0: not mapped */
};
/* process_open - where a process has the session's objects; false after one message. */
bool process_open(struct process_view *view, const struct session *session, pid_t pid);
/* process_locate - the object at an address, and the link-time address; NULL: none of the session's. */
struct object *process_locate(const struct process_view *view, const struct session *session, u64 addr, u64 *vaddr);
/* process_judge - what is at the place now, beside what the linker stores there. */
struct judgement {
    enum { WORD_UNREADABLE, WORD_NOT_FORETOLD /* no address comes of the type */, WORD_AS_STORED, WORD_NOT_CALLED_YET /* lazy */,
           WORD_CHOSEN /* by the symbol's resolver */, WORD_CHANGED } state;
    u64 word, stored;                 /* stored: 0 when not foretold */
};
struct judgement process_judge(const struct process_view *view, const struct session *session, const struct place *place);
/* process_value - a sentence about the word at the place now, beside what the linker stores there; malloc'd. */
char *process_value(const struct process_view *view, const struct session *session, const struct place *place);
void process_close(struct process_view *view);
/* process_environment - NULL-ended copy of its environment; an empty list when it may not be read. Never freed. */
char **process_environment(pid_t pid);

#endif
