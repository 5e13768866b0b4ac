/* session.h - a start-up without a process: the linker's own search, loading order, scopes and lookups (ldr/link) over files that are
 * read instead of mapped, with every step kept that a person may ask about.
 *
 * Order of events, as ld-ldr.so has them: session_begin (the program), session_load (preloads, then everything needed, breadth first),
 * session_place (closure, constructor order, global scope, index). Nothing is decided here; see ldr/ARCHITECTURE.md, "Explaining without a process". */
#ifndef LDR_EXPLAIN_SESSION_H
#define LDR_EXPLAIN_SESSION_H

#include "catalog.h"

/* One candidate that the search offered, and what came of it. */
enum attempt_outcome {
    ATTEMPT_TAKEN,
    ATTEMPT_SAME_FILE,                /* a file that is loaded already, by another name */
    ATTEMPT_ERRNO,                    /* could not be opened: error */
    ATTEMPT_NO_DIRECTORY,             /* the directory does not exist: nothing in it was tried. rule is not known */
    ATTEMPT_FOREIGN,                  /* another class (other_class) or machine */
    ATTEMPT_NOT_SETUID,               /* preloads of a set-user-ID program must be set-user-ID */
    ATTEMPT_OURSELVES,                /* ld-ldr.so in the genuine linker's place */
    ATTEMPT_BROKEN,                   /* its defect ended the search */
    ATTEMPT_TOO_LONG
};
struct attempt {
    const char *path;
    enum attempt_outcome outcome;
    enum found_by rule;
    const struct object *owner;       /* whose RPATH or RUNPATH; NULL: nobody's */
    int error;                        /* errno of ATTEMPT_ERRNO */
    bool other_class;
    struct defect defect;
    struct attempt *next;
};

enum request_kind { REQUEST_NEEDED, REQUEST_FILTER, REQUEST_AUXILIARY, REQUEST_PRELOAD };
/* One name asked for, by one object. */
struct request {
    const char *name;
    struct node *by;                  /* NULL: the user (preloads) */
    enum request_kind kind;
    const char *list;                 /* which list of preloads names it; NULL: it is none */
    struct node *result;              /* a node that is missing, when nothing was found; NULL only where that is no error */
    bool known;                       /* answered by name: nothing was searched */
    struct attempt *attempts;         /* in order */
    struct request *next, *next_of_by;
};

struct node {
    struct object object;             /* first: object_node casts */
    const struct library_file *file;  /* NULL: missing */
    struct request *requests, *last_request;       /* what it asked for, in order */
    struct request *found_by;         /* the request that brought it; NULL: the program */
    struct defect defect;             /* of a missing one: the broken file that ended the search */
    const char *defect_path;
    u32 number;                       /* load order, 0: the program */
    u32 closure_number;               /* order in the global scope, from 1; 0: not in it */
    u32 references_met;               /* for counting: owned by whoever walks */
    bool used;
};
static inline struct node *object_node(const struct object *object) { return (struct node *)object; }

struct session_options {
    struct catalog *catalog;
    const char *library_path, *preload;            /* options; NULL: none. library_path stands for LD_LIBRARY_PATH */
    char **environment;               /* LD_* are taken from here; NULL: none */
    bool ignore_preload_file;         /* not /etc/ld.so.preload */
    bool inhibit_cache;
};
struct session {
    struct search search;             /* first: callbacks cast */
    struct config config;
    struct catalog *catalog;
    struct arena arena;
    struct node *program;
    struct object *first, *last;
    u32 count;                        /* nodes, the program and the missing included */
    struct request *requests, *last_request;
    struct request *current;          /* being searched for */
    struct attempt *last_attempt;
    struct ldcache cache;
    bool cache_tried;
    bool as_preload, trusted_preload;
    struct node *candidate;           /* what the search took */
    u32 *names;                       /* hashes of all names and paths of the list, 0: free; a filter before object_by_name */
    u32 name_count, name_room;        /* room: a power of two */
    struct scope global;
    const struct scope *global_list[1];
    struct symbol_index index_memory;
    const struct symbol_index *index; /* NULL: walk */
    struct uniques *uniques;          /* built when the first unique symbol is met */
    struct defect load_defect;        /* what ended loading: a damaged name of a needed library */
    const char *load_defect_path;
};

/* session_begin - a session whose root is the file at `path` (inside the catalog's tree).
 *   returns 0; a positive errno; or -LDR_E_* with *defect set. session_end is due in every case. */
int session_begin(struct session *session, const struct session_options *options, const char *path, struct defect *defect);
/* session_load - preloads and everything needed. Missing libraries become nodes that are missing. */
void session_load(struct session *session);
/* session_place - search order; `references`: also prepare for looking all of them up. */
void session_place(struct session *session, bool references);
void session_end(struct session *session);

bool session_is_static(const struct session *session);         /* the root needs no linker */
bool session_is_library(const struct session *session);        /* the root is no program: somebody else will load it */
const char *session_interpreter(const struct session *session);/* PT_INTERP of the root; NULL: none, or malformed */
const char *node_path(const struct node *node);                /* what to call it: path as found; the program's path; a missing one's name */
const char *node_name(const struct node *node);                /* the name it was first asked for by */
bool node_is_linker(const struct node *node);

/* session_bind - which definition the reference of one relocation binds to.
 *   out     want     zeroed for a reference that binds locally
 *   returns 0, REFERENCE_WEAK, REFERENCE_UNDEFINED, or -LDR_E_* (a relocation that names no symbol of the table) */
int session_bind(const struct session *session, struct object *object, u32 symbol, struct reloc_kind kind, struct symbol_want *want, struct binding *out);
/* session_find - the same by scope and version alone, without the rule that a unique symbol has one definition per process. */
int session_find(const struct session *session, struct object *object, u32 symbol, struct reloc_kind kind, struct symbol_want *want, struct binding *out);

/* defect_text - a sentence with the values found; malloc'd. */
char *defect_text(const struct defect *defect);

#endif
