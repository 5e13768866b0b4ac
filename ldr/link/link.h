/* link.h - contract of floor 2: decisions. Where a library is looked for, which definition answers a reference, in which order
 * constructors run, where TLS blocks lie. Nothing here maps, writes into an object or calls the system; tools run the same code. */
#ifndef LDR_LINK_H
#define LDR_LINK_H

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
    FOUND_SELF                        /* ld-ldr.so */
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
    bool shared;                      /* writable pages come from an image of the cache, relocated */
    bool sealed_already;              /* ... and its RELRO is read-only from the start */
    bool data_private;                /* mapped with its data pages made private already: no batches needed */
    bool in_global;                   /* part of the global scope */
    bool visited;                     /* graph walks */
    u32 mark;
    u32 symbol_count;                 /* counted by index.c; 0: not yet */
    struct object **bound_to;         /* objects outside its needs that a relocation bound to */
    u32 bound_count, bound_room;
};

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
    const char *library_path;         /* NULL: none */
    const char *preload_env, *preload_option;
    const char *inhibit_rpath;
    const char *hwcaps_prepend, *hwcaps_mask;
    const char *tunables;             /* GLIBC_TUNABLES */
    const char *origin_path;          /* LD_ORIGIN_PATH */
    const char *platform;             /* AT_PLATFORM */
    const char *debug, *debug_output; /* LD_DEBUG, LD_DEBUG_OUTPUT */
    const char *record;               /* LDR_TRACE */
    const char *cache, *cache_dir;    /* LDR_CACHE, LDR_CACHE_DIR */
    const char *runtime_dir, *home;   /* XDG_RUNTIME_DIR, HOME: where the cache lies by default */
};
/* config_take_env - one environment entry "NAME=VALUE"; under `secure` dangerous ones are not taken. */
void config_take_env(struct config *config, const char *entry);
/* config_unsecure_name - whether an environment entry must be removed from a secure process's environment. */
bool config_unsecure_name(const char *entry);

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

/* graph.c */
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

#endif
