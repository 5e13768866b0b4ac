/* place.h - from an address to the relocation that fills it: a word of the GOT or of data, or a PLT entry that jumps through one. */
#ifndef LDR_EXPLAIN_PLACE_H
#define LDR_EXPLAIN_PLACE_H

#include "relocs.h"

#include <sys/types.h>

/* Which word that no relocation covers and that has a meaning all the same. */
enum place_reserved { RESERVED_NOT, RESERVED_DYNAMIC /* GOT, first */, RESERVED_OBJECT, RESERVED_RESOLVER, RESERVED_UNUSED /* not lazily bound */, RESERVED_DEBUG,
                      RESERVED_ENTRY /* of the dynamic section */ };
struct json_object;
struct place {
    struct object *object;
    u64 vaddr;                        /* as asked, link-time */
    bool in_plt;                      /* code that jumps through the word of `record` */
    bool found;
    struct reloc_record record;
    bool outside;                     /* the object has no such address */
    enum place_reserved reserved;     /* not found, but known */
};
/* place_find - the relocation at a link-time address of an object. */
struct place place_find(struct object *object, u64 vaddr);
/* place_object - the object that a user's word means; NULL: none. */
struct object *place_object(const struct session *session, const char *word);
/* place_text - the headline and, for a word that needs no lookup, what it holds; malloc'd lines. *symbol: the name whose story goes on,
 * NULL: none. */
char *place_text(const struct place *place, const char **symbol);
/* place_address_text - "PATH + 0x1234 (in .text)", or with the symbol around it where the dynamic symbol table has one; malloc'd. */
char *place_address_text(const struct object *object, u64 vaddr);
bool place_is_code(const struct object *object, u64 vaddr);     /* in an executable segment */
/* place_json - the same for programs; the caller's to put. */
struct json_object *place_json(const struct session *session, const struct place *place);

/* A running process. */
struct stale_mapping { u64 start, end; const struct node *node; bool deleted; };
struct process_view {
    pid_t pid;
    u64 *bias;                        /* by node number; ~0: not mapped */
    struct stale_mapping *stale;      /* of a file that has a node's path and is another: deleted or replaced since it was mapped */
    u32 stale_count;
    u64 started;                      /* nanoseconds since 1970 (life_start) */
};
/* process_open - where a process has the session's objects; false after one message. */
bool process_open(struct process_view *view, const struct session *session, pid_t pid);
/* process_locate - the object at an address, and the link-time address; NULL: none of the session's. */
struct object *process_locate(const struct process_view *view, const struct session *session, u64 addr, u64 *vaddr);
/* process_opened_later - the ELF file at an address that is none of the session's, and the link-time address; malloc'd path, NULL: none. */
char *process_opened_later(const struct process_view *view, const struct session *session, u64 addr, u64 *vaddr);
/* process_stale - the mapping of a file that is no longer there, around an address; NULL: none. */
const struct stale_mapping *process_stale(const struct process_view *view, u64 addr);
/* process_rewritten - whether the file of a mapped object was changed since the process started. A file written to in place is the same file to the
 * kernel, and its pages that the process has not copied show the new contents there as here: time stamps are all that tells. */
enum rewritten { REWRITTEN_NOT, REWRITTEN_INODE /* contents, or only owner, mode or links */, REWRITTEN_CONTENTS };
enum rewritten process_rewritten(const struct process_view *view, const struct node *node);
/* process_judge - what is at the place now, beside what the linker stores there. */
struct judgement {
    enum { WORD_UNREADABLE, WORD_NOT_FORETOLD /* no address comes of the type */, WORD_AS_STORED, WORD_NOT_CALLED_YET /* lazy */,
           WORD_CHOSEN /* by the symbol's resolver */, WORD_CHANGED } state;
    u64 word, stored;                 /* stored: 0 when not foretold */
};
struct judgement process_judge(const struct process_view *view, const struct session *session, const struct place *place);
/* process_value - a sentence about the word at the place now, beside what the linker stores there; malloc'd. */
char *process_value(const struct process_view *view, const struct session *session, const struct place *place);
struct json_object *process_json(const struct process_view *view, const struct session *session, const struct place *place);
void process_close(struct process_view *view);
/* process_environment - NULL-ended copy of its environment; an empty list when it may not be read. Never freed. */
char **process_environment(pid_t pid);

#endif
