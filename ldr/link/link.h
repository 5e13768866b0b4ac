/* link.h - contract of floor 2: decisions. Where a library is looked for, which definition answers a reference, in which order
 * constructors run, where TLS blocks lie. Nothing here maps, writes into an object or calls the system; tools run the same code. */
#ifndef LDR_LINK_H
#define LDR_LINK_H

#include "../arch/arch.h"
#include "../image/image.h"

enum found_by {                       /* the rule that led to a file; also the word tools print */
    FOUND_PROGRAM,                    /* the program itself */
    FOUND_PRELOAD,
    FOUND_TRUSTED_PRELOAD,            /* only asked for so: /etc/ld.so.preload; recorded as FOUND_PRELOAD */
    FOUND_NAME,                       /* the name held a slash */
    FOUND_RPATH,
    FOUND_LIBRARY_PATH,
    FOUND_RUNPATH,
    FOUND_CACHE,
    FOUND_DEFAULT,
    FOUND_KERNEL,                     /* vDSO */
    FOUND_SELF,                       /* ld-ldr.so */
    FOUND_INTERPRETER                 /* the system's linker, which the program names as its own (PT_INTERP): whatever search led to its file */
};

struct object;
struct scope {                        /* objects searched in order */
    struct object **object;
    u32 count, room;
    bool in_heap;                     /* the list was allocated by unloading (run/close.c) */
};
struct alias {                        /* a name the object was asked for by */
    const char *name;
    struct alias *next;
};

/* The life of an object; each step needs the one before. */
enum object_state {
    OBJECT_OPENED,                    /* file identity known */
    OBJECT_MAPPED,                    /* segments in place, dynamic table read */
    OBJECT_LINKED,                    /* needed objects known; versions, scopes and TLS follow for all new objects together */
    OBJECT_RELOCATED,
    OBJECT_PROTECTED,                 /* RELRO sealed */
    OBJECT_INITIALISING,              /* constructors running: a cycle that comes back here stops */
    OBJECT_INITIALISED,
    OBJECT_FINISHED                   /* destructors ran */
};

struct object {
    /* filled when opened (run/load.c) */
    const char *path;                 /* as opened; what l_name shows; "" for the program. Owned by the object's arena */
    const char *real_path;            /* path for the program too (error messages, $ORIGIN) */
    const char *origin;               /* directory for $ORIGIN; NULL until asked for */
    struct alias aliases;             /* first: the name first asked for */
    u64 dev, ino;                     /* file identity; ino 0: none (vDSO) */
    struct object *loader;            /* who asked for it first; NULL: the program, preloads */
    enum found_by found_by;
    struct arena *arena;              /* everything that lives as long as the object */

    /* filled when mapped (run/map.c) */
    struct image image;
    struct view view;
    u64 bias;                         /* run-time address minus link-time address */
    u64 map_start, map_end;           /* whole span, page-rounded */
    u64 place;                        /* where the cache wants it mapped; 0: anywhere */
    u64 file_hash;                    /* of the file's identity, where the cache is used; 0: not known */

    /* filled when linked (run/load.c, link/graph.c) */
    struct object *next, *prev;       /* all objects, load order */
    struct object **needed;           /* direct, in DT_NEEDED order, filtees first; NULL-less array */
    u32 needed_count;
    struct object **filtee;           /* DT_FILTER / DT_AUXILIARY objects, searched before this one in a closure */
    u32 filtee_count;
    struct scope closure;             /* breadth first from here; only for roots (program, dlopened) */
    struct object **init_order;       /* closure sorted: dependents first; NULL unless a root */

    /* filled when placed */
    const struct scope **scope;       /* lists searched for references made by this object */
    u32 scope_count, scope_room;
    struct scope symbolic_scope;      /* this object alone, for DT_SYMBOLIC */
    u64 tls_module;                   /* 1.., 0: no TLS */
    u64 tls_offset;                   /* distance of its block below the thread pointer; 0: dynamic */
    bool tls_dynamic_used;            /* some thread has a block of its own: too late for a static one */
    bool tls_static_pending;          /* block given after start-up: copy the image into every thread once relocated */

    /* life */
    enum object_state state;
    u32 open_count;                   /* dlopen minus dlclose on this very object */
    bool is_program, is_linker, is_libc, is_vdso;
    bool is_missing;                  /* stands for a library not found while only listing (ldd) */
    bool at_start;                    /* loaded before the program ran: never unloaded */
    bool no_delete;                   /* DF_1_NODELETE, RTLD_NODELETE, or owns a unique symbol */
    const char *no_delete_why;
    bool image_waits;                 /* its writable pages will probably come from an image: none is made private ahead */
    bool bound_unique;                /* a relocation bound to a unique symbol: which one it is hangs on what came before */
    bool chose_itself;                /* it holds an answer of a resolver that is not the C library's: another start may get another */
    bool shared;                      /* writable pages come from an image of the cache, relocated */
    u32 plain_why;                    /* enum plain_why (cache/format.h): it could come from an image, and does not */
    bool sealed_already;              /* ... and its RELRO is read-only from the start */
    u8 idle;                          /* IDLE_*: of what is called at its start and end, what comes to nothing and need not be */
    u64 dso_handle;                   /* ... at its end, to nothing but __cxa_finalize of this; 0: nothing at all */
    const u32 *dyn_tags;              /* the tags of image.dyn, where they are known without reading it; NULL: they stand there */
    bool data_private;                /* mapped with its data pages made private already: no batches needed */
    bool in_global;                   /* part of the global scope */
    bool visited;                     /* graph walks */
    u32 mark;
    u32 symbol_count;                 /* counted by index.c; 0: not yet */
    struct object **bound_to;         /* objects outside its needs that a relocation bound to */
    u32 bound_count, bound_room;
};

#define IDLE_START 1u
#define IDLE_END 2u

/* config.c: the facts fixed for the life of the process. */
struct config {
    bool secure;                      /* AT_SECURE */
    bool bind_now;                    /* LD_BIND_NOW */
    bool bind_not;                    /* LD_BIND_NOT */
    bool dynamic_weak;                /* LD_DYNAMIC_WEAK */
    bool trace;                       /* list and exit */
    bool trace_missing;               /* ... and go on where a library is missing (LD_TRACE_LOADED_OBJECTS, not --list) */
    bool trace_unused;                /* ... what is needed and not used (LD_DEBUG=unused) */
    bool verbose, warn;
    bool inhibit_cache;
    const char *audit;                /* LD_AUDIT: told that it is not supported */
    const char *genuine_linker;       /* LDR_GENUINE_LDSO */
    bool show_auxv;                   /* LD_SHOW_AUXV */
    bool watched;                     /* --watched: the tracer is `ldr run`, which follows no process that this one makes */
    const char *library_path;         /* NULL: none */
    const char *preload_env, *preload_option;
    const char *inhibit_rpath;
    const char *hwcaps_prepend, *hwcaps_mask;
    const char *tunables;             /* GLIBC_TUNABLES */
    const char *origin_path;          /* LD_ORIGIN_PATH */
    const char *platform;             /* AT_PLATFORM */
    const char *debug, *debug_output; /* LD_DEBUG, LD_DEBUG_OUTPUT */
    const char *record;               /* LDR_TRACE */
    bool record_no_values;            /* LDR_TRACE_BINDINGS=off: what was bound while relocating is not recorded */
    const char *cache, *cache_dir;    /* LDR_CACHE, LDR_CACHE_DIR */
    const char *cache_max_age;        /* LDR_CACHE_MAX_AGE */
    const char *runtime_dir, *home;   /* XDG_RUNTIME_DIR, HOME: where the cache lies by default */
};
/* config_take_env - one environment entry "NAME=VALUE"; under `secure` dangerous ones are not taken. */
void config_take_env(struct config *config, const char *entry);
/* config_unsecure_name - whether an environment entry must be removed from a secure process's environment. */
bool config_unsecure_name(const char *entry);

/* config_next_word - the next word of a list of preloads: words stand between blanks, and colons too where `colons`.
 *   in/out  at      advances past the word
 *   returns its first character and *len, or NULL at the end */
const char *config_next_word(const char **at, bool colons, size_t *len);

/* names.c: which object loaded so far is meant. `first`: of the list of all; NULL: none. */
bool object_answers_to(const struct object *object, const char *name);         /* soname or a name asked for */
struct object *object_by_name(struct object *first, const char *name);
struct object *object_by_file(struct object *first, u64 dev, u64 ino);

/* search.c: candidates for one library name, in the order of the system's linker (ld.so(8)). */
struct search_dir {                   /* one directory known to this session */
    const char *path;                 /* without trailing slash unless "/" */
    u32 len;
    enum { DIR_UNKNOWN, DIR_PRESENT, DIR_MISSING } state;
    struct search_dir *next;
};
struct ldcache;
#define SEARCH_ABANDON_LIST 2
/* What a search tells whoever watches it, in the order of the system's linker: each list before its first directory is tried, and each
 * candidate, also one whose directory turns out not to exist. */
enum search_step { SEARCH_LIST, SEARCH_LIST_DIR, SEARCH_LIST_END, SEARCH_CACHE, SEARCH_CANDIDATE };
struct search {
    const struct config *config;
    struct arena *arena;              /* session-long */
    struct search_dir *dirs;
    struct object *program;
    /* try: 1 taken, 0 go on, SEARCH_ABANDON_LIST go on behind the rest of this path list, negative: give up. `rule_owner`: the object whose RPATH/RUNPATH it is, or NULL. */
    int (*try)(struct search *search, const char *path, enum found_by rule, const struct object *rule_owner);
    bool (*dir_present)(struct search *search, const char *path);
    /* watch: may be NULL. When set, no directory is judged by the one above it, so that each is told (slower). */
    void (*watch)(struct search *search, enum search_step step, const char *path, enum found_by rule, const struct object *owner);
    bool listing;                     /* directories of a list are being told, nothing is tried */
    void (*too_long)(struct search *search);   /* a candidate was longer than a path can be; may be NULL */
    const struct ldcache *(*cache)(struct search *search);     /* NULL: none */
    u32 (*cpu_level)(struct search *search);                   /* x86-64-vN */
    const char *(*origin)(struct search *search, const struct object *object);   /* NULL: unknown */
};
/* search_library - offer every candidate for `name`, wanted by `loader`, until one is taken.
 *   returns what `try` last returned: 1, 0 (nothing left) or negative */
int search_library(struct search *search, const char *name, const struct object *loader);
/* search_expand - replace $ORIGIN, $LIB, $PLATFORM (with or without braces) as for an object; false: does not fit or may not. */
bool search_expand(struct search *search, const char *from, size_t len, const struct object *owner, struct text *out);
const char *found_by_text(enum found_by rule);
const char *search_default_dir(u32 i);                         /* NULL past the end */

/* candidate.c: may a file that the search met be taken?
 * candidate_after_error   what `try` returns for one that could not be opened (positive errno)
 * candidate_is_foreign    the first bytes are another class's or machine's: passed over unreported; *other_class is only ever set
 * candidate_check_library the rules for what may be loaded besides the program; 0 or -LDR_E_*, reported. `opened_late`: by dlopen
 * candidate_is_ldr        it is ld-ldr.so itself, in the genuine linker's place: the search must lead on
 * candidate_found_by      the word for how it was found, `rule` having led to the file
 * object_is_system_linker it is the system's linker, or stands in its place
 * object_runs_on          its code is for this CPU level or a lower one, else it would die of SIGILL somewhere */
int candidate_after_error(int sys_errno, enum found_by rule);
bool candidate_is_foreign(const u8 *head, u64 len, bool *other_class);
int candidate_check_library(const struct object *object, bool opened_late, struct report *report);
bool candidate_is_ldr(const struct object *object);
enum found_by candidate_found_by(const struct object *object, enum found_by rule, bool as_preload);
bool object_is_system_linker(const struct object *object);
bool object_runs_on(const struct object *object, u32 (*cpu_level)(struct search *), struct search *search);

/* versions.c: every version need of an object, judged. Begin with a zeroed check. */
enum version_verdict { VERSION_END, VERSION_FOUND, VERSION_MISSING, VERSION_MISSING_WEAK };
struct version_check {
    struct version_need need;         /* the one judged */
    struct object *from;              /* who should define it; NULL: that library is missing */
    bool new_file;                    /* first need of this library */
    bool needs_libc, has_relr_marker;
    bool begun;
    struct version_walk walk;
};
enum version_verdict version_next(struct version_check *check, const struct object *object, struct object *first);
/* version_relr_unmarked - after the last: DT_RELR that an old linker would skip silently. Link editors mark objects that have it. */
bool version_relr_unmarked(const struct version_check *check, const struct object *object);
/* version_newest - the newest version of the same family ("GLIBC_" and a number) that the object defines; NULL: none */
const char *version_newest(const struct image *image, const char *like);

/* ldcache.c: /etc/ld.so.cache, glibc-ld.so.cache1.1 */
struct ldcache {
    const u8 *bytes;
    u64 len;
    u64 strings, strings_end;         /* the string table */
    u32 entry_count, hwcaps_offset, hwcaps_count;
};
bool ldcache_read(struct ldcache *cache, const u8 *bytes, u64 len);            /* false: not a cache we can use */
/* ldcache_find - path for a soname, best glibc-hwcaps level allowed; NULL: absent. `level` is asked only when it matters. */
const char *ldcache_find(const struct ldcache *cache, const char *soname, struct search *search);

/* ldcache_next - the next entry for this machine, for those who look at all; false at the end. Begin with *at 0. */
bool ldcache_next(const struct ldcache *cache, u32 *at, const char **soname, const char **path);

/* graph.c */
/* graph_load - load what `first` and the objects after it in the list need, breadth first: DT_NEEDED, then DT_FILTER, then DT_AUXILIARY of
 * each object in turn; `load` appends new objects to the list.
 *   returns 0 or the first problem, reported */
struct graph_loader {
    /* load: the object that answers `name`; NULL: none, reported (a missing DT_AUXILIARY filtee is no error and not to be reported) */
    struct object *(*load)(struct graph_loader *loader, const char *name, struct object *wanted_by, i64 tag);
    struct report *report;
};
int graph_load(struct object *first, struct graph_loader *loader);
/* graph_closure - objects reachable from root, breadth first, filtees before their filter; into out (room >= number of objects). */
u32 graph_closure(struct object *root, struct object **extra, u32 extra_count, struct object **out);
/* graph_sort - dependents before dependencies, in place, as the system's linker orders (depth first over needed; cycles broken where
 * met). `keep_first`: out[0] stays first. `with_bound`: also honour bound_to edges (destructor order). scratch has room for count. */
void graph_sort(struct object **list, u32 count, bool keep_first, bool with_bound, struct object **scratch);

/* lookup.c */
struct binding {
    struct object *object;            /* NULL: undefined */
    const Elf64_Sym *symbol;
};
/* scope_find - first object of the list, from `from` on, that answers; `skip` never answers. */
bool scope_find(const struct scope *scope, u32 from, const struct symbol_want *want, const struct object *skip, struct binding *out);
struct symbol_index;
/* lookup_reference - which definition a reference by `referrer` binds to (scopes in order, protected symbols, no uniqueness).
 *   index   answers for index_scope when not NULL */
bool lookup_reference(const struct object *referrer, const Elf64_Sym *reference, const struct symbol_want *want, const struct object *skip,
                      const struct symbol_index *index, struct binding *out);
bool lookup_own_first(const struct object *referrer, u32 hash31, u32 reach);
bool symbol_binds_locally(const Elf64_Sym *sym);

/* reference.c: from a relocation to the definition it binds to */
struct hashed_name { u32 gnu, len; bool partial, valid; };
struct reference {
    struct object *object;
    u32 symbol;
    u32 classes;
    struct report *report;            /* lazy binding runs on any thread: it cannot use the session's */
    const struct hashed_name *hashed; /* the name's hash, when the caller had it computed ahead; or NULL */
};
u32 reference_classes(struct reloc_kind kind);         /* CLASS_*: what may not answer a relocation of that kind */
const struct version *reference_version(const struct object *object, u32 symbol);      /* NULL: unversioned */
/* reference_hash - hash of a reference's name; `for_index`: without bit 0 where that is free and enough (struct symbol_want, partial). */
struct hashed_name reference_hash(const struct image *image, u32 symbol, const char *name, bool for_index);
/* reference_find - the definition by scope and version alone.
 *   in      index    may answer for one scope; NULL: none
 *           watch    told of each object asked; NULL: nobody listens
 *   out     want     what was asked for; unset for a reference that binds locally
 *   returns 0, REFERENCE_WEAK or REFERENCE_UNDEFINED (nothing reported, out empty), or a negative code, reported */
#define REFERENCE_WEAK 1
#define REFERENCE_UNDEFINED 2
int reference_find(const struct reference *reference, const struct config *config, const struct symbol_index *index,
                   void (*watch)(const struct symbol_want *want, const struct object *object), struct symbol_want *want, struct binding *out);

/* index.c: hash of every definition of a long scope to (object, symbol), in scope order: one probe instead of a walk over hundreds of
 * bloom filters. Built once, dropped when start-up ends. */
struct index_tables {                 /* what judging a candidate reads of its object, side by side: the objects themselves lie far apart */
    struct object *object;
    const Elf64_Sym *symtab;
    const char *strtab;
    u64 strtab_len;
    const u16 *versym;                /* NULL: unversioned */
};
struct symbol_index {
    const struct scope *scope;
    struct index_tables *tables;      /* by object number */
    u64 *slot;                        /* 0: empty; else check bits, object number, symbol number */
    u32 slot_bits;
    u32 crowded;                      /* keys with more equals than kept: those fall back to the walk */
};
bool index_worthwhile(const struct scope *scope, u64 references);
/* index_build - false when memory is short or a number does not fit: use the walk. */
bool index_build(struct symbol_index *index, const struct scope *scope, struct arena *arena);
/* Touch ahead what index_find will read, one dependent step after the other, for many names in turn: the slot, the candidate's symbol,
 * its name. Only hints: nothing is decided. */
void index_warm_slot(const struct symbol_index *index, u32 gnu);
void index_warm_symbol(const struct symbol_index *index, u32 gnu);
void index_warm_name(const struct symbol_index *index, u32 gnu);
/* index_find_plain - the answer when it is the ordinary one: the first entry of that name, a defined global function or object of the
 * wanted name and version. Everything else is false, and the whole rule (index_find) must be asked. */
bool index_find_plain(const struct symbol_index *index, const struct symbol_want *want, struct binding *out);
enum index_answer { INDEX_FOUND, INDEX_ABSENT, INDEX_WALK };
/* index_find - hash31: gnu hash without bit 0. own/own_index: the reference's own definition if it has one (no string compare then). */
enum index_answer index_find(const struct symbol_index *index, const struct symbol_want *want, const struct object *skip, struct binding *out);

/* tls_layout.c: variant II (x86-64 psABI "Thread-Local Storage"): blocks below the thread pointer. */
struct tls_layout {
    u64 used;                         /* bytes below the thread pointer given out */
    u64 align;                        /* of the thread pointer; at least 64 */
};
/* tls_place - offset of a block so that (tp - offset) is congruent to vaddr modulo align; false: overflow. */
bool tls_place(struct tls_layout *layout, u64 memsz, u64 align, u64 vaddr, u64 *offset);
/* tls_word - what a relocation of a class RELOC_TLS_* stores for the variable at `at` (S + A) of a module; of a descriptor the second word,
 * when the module's block is a static one. */
u64 tls_word(enum reloc_class class, const struct object *module, u64 at);

#endif
