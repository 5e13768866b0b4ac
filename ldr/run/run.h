/* run.h - contract of floor 4: effects. Opening, mapping, relocating, protecting, thread storage, constructors.
 *
 * One process has one struct session. Locks, always taken in this order:
 *   1. load lock  (compat: _dl_load_lock)        everything that loads, unloads or runs constructors; recursive
 *   2. write lock (compat: _dl_load_write_lock)  the moment objects enter or leave the list libc's dl_iterate_phdr walks
 *   3. tls lock   (compat: _dl_load_tls_lock)    module table, DTVs, the heap; recursive; never calls out while held, except malloc's
 *                                                own use of TLS, which finds its DTV slot filled
 * Before libc is initialised there is one thread and no lock is taken. */
#ifndef LDR_RUN_H
#define LDR_RUN_H

#include "../link/link.h"
#include "../sys/sys.h"

/* In front of every struct object lies the room of the C library's struct link_map: its address is the handle dlopen returns and what
 * debuggers walk. Its first five members are public (<link.h>); the others are filled by compat/. */
#define LINK_MAP_ROOM 1208u
struct public_map {
    u64 l_addr;
    const char *l_name;
    Elf64_Dyn *l_ld;
    struct public_map *l_next, *l_prev;
};
static inline struct public_map *object_map(const struct object *object)
{
    return (struct public_map *)((char *)object - LINK_MAP_ROOM);
}
static inline struct object *object_of_map(const void *map)
{
    return (struct object *)((char *)map + LINK_MAP_ROOM);
}

/* What the kernel told us at entry. */
struct kernel_facts {
    u64 *stack;                       /* initial stack pointer: argc */
    int argc;
    char **argv, **envp;
    Elf64_auxv_t *auxv;
    u64 phdr, phnum, entry, base, page, hwcap, hwcap2, clktck, minsigstksz, sysinfo_ehdr, secure, rseq_size, rseq_align;
    const u64 *random;
    const char *execfn, *platform;
    const char *execfn_argv0;         /* first argument string of the program in the kernel's argument area (command mode) */
};

enum start_way { START_INTERPRETER, START_COMMAND };

struct found_range { u64 start, end; struct object *object; };     /* object NULL: ourselves */

struct tls_module {
    struct object *object;            /* NULL: free slot */
    u64 generation;                   /* when the slot last changed hands */
};

struct session {
    struct config config;
    u32 watch;                        /* enum watch: what LD_DEBUG and LDR_TRACE want told; 0: nothing (debug/events.h) */
    struct kernel_facts kernel;
    enum start_way way;
    const char *self_path;
    bool origin_by_file;              /* --proc-exe: $ORIGIN of the program is where its file lies, not the link that was typed */
    struct report report;             /* current sink; see message.c and api/error.c */
    struct object *first, *last;
    u32 object_count;
    u64 adds, subs;
    struct object *program, *linker, *libc, *vdso;
    struct object *init_first;        /* the last that came with DF_1_INITFIRST, until constructors are run; NULL: none */
    struct found_range self;          /* ourselves: no object, nobody searches us; unwinders ask */
    u64 self_eh_frame_hdr;
    struct scope global;
    const struct symbol_index *index; /* only while start-up relocates */
    struct arena permanent;
    struct search search;
    struct ldcache cache;
    bool cache_tried;
    u64 cache_ino, cache_mtime;       /* which file `cache` shows */
    bool started;                     /* constructors of start-up are running or done: threads may exist */
    bool populate_refused;            /* kernel without MADV_POPULATE_WRITE */
    u64 gate;                         /* where the gate is mapped (gate.c); 0: none, addresses of ours stand as they are */
    bool warned;                      /* start-up said something that each start must say: none may be skipped */
    bool bind_ahead;                  /* jump slots that can be bound are bound at start: an image is being made */

    /* thread storage (tls.c) */
    struct tls_layout tls;
    struct tls_module *module;        /* by module id, from 1 */
    u64 module_count, module_room;
    u64 tls_static_room;              /* bytes below tp that every thread has */
    u64 tls_main_room;                /* bytes below tp that the main thread has: the reserve */
    char *main_tp;
};
extern struct session session;
/* An image is being made of every object that is not where the kernel put it. */
static inline bool binds_ahead(const struct object *object)
{
    return session.bind_ahead && !(object->is_program && session.way == START_INTERPRETER);
}
static inline void start_warning(const char *text, size_t len)
{
    session.warned = true;
    sys_write_all(2, text, len);
}

/* heap.c: memory of objects that can go away, and of DTVs. Zeroed; 16-byte aligned; NULL: no memory. */
void *heap_alloc(size_t len);
void heap_free(void *at);
void *permanent_more(struct arena *arena, size_t need, size_t *got);       /* arena.more of start-up memory */
void reserve_objects(u64 count);       /* before that many object_new(false): their memory in one call, where that pays */
void *object_arena_more(struct arena *arena, size_t need, size_t *got);    /* arena.more of an unloadable object */
void object_arena_free(struct arena *arena);
/* Memory dropped when a phase ends (index, work lists). */
void *scratch_more(struct arena *arena, size_t need, size_t *got);
void scratch_free(struct arena *arena);

/* object.c */
struct object *object_new(bool unloadable);
void object_free(struct object *object);                       /* descriptor only: mapping and list are the caller's */
void object_list_add(struct object *object);
void object_list_remove(struct object *object);
bool object_add_alias(struct object *object, const char *name);
struct object *object_at(u64 addr);                            /* whose segments hold the address; NULL: none */
const char *object_origin(struct object *object);              /* NULL: unknown */
/* origin_of - the same for a file that need not be an object yet: the directory in `buf`. False: unknown, or longer than `room`. */
bool origin_of(bool is_program, const char *path, char *buf, size_t room);
const char *object_label(const struct object *object);         /* for messages: path, or argv[0] for the program */
bool scope_add(struct scope *scope, struct object *object, struct arena *arena);
bool object_add_scope(struct object *object, const struct scope *scope, bool first);
void object_remove_scope(struct object *object, const struct scope *scope);

/* gate.c: addresses of ours and of the vDSO that are the same in every process, for images shared by the cache */
bool gate_open(u64 place);             /* map it there; false: the place is taken, or the kernel cannot */
void gate_close(void);
void gate_fill(void);                  /* once the vector state is known (bind_learn_vector_state) */
u64 gate_for(u64 address);             /* the gate's entry that leads to `address`; without a gate or an entry, `address` */
u64 gate_behind(u64 address);          /* where an entry of the gate leads; any other address as it is */
u64 bind_trampoline(void);

/* map.c */
/* A first touch maps what is in memory of the 64 KiB around it. Of a mapping no longer than that, and sure to be touched, the kernel can do
 * the same while it maps (MAP_POPULATE), without a fault (10 us, of which this leaves 4, where a hypervisor keeps page tables of its own).
 * Read-only ones alone: those that may be written would become private. */
#define TOUCHED_WHOLE (64ul << 10)
/* map_file - reserve the span, overlay the segments of the plan, zero the tails. fd stays open.
 *   in/out  object   image.plan filled; bias, map_start, map_end set on success
 *   returns 0 or -LDR_E_MAP, -LDR_E_ADDRESS_TAKEN, -LDR_E_WRITE_EXEC; on failure nothing stays mapped */
int map_file(struct object *object, int fd, u64 file_len);
void unmap_object(struct object *object);
/* map_adopt - an image the kernel mapped already (program as PT_INTERP, vDSO, ourselves). */
int map_adopt(struct object *object, const Elf64_Phdr *phdr, u16 phnum, u64 bias);

/* load.c */
/* load_library - the object that answers `name` for `loader`, loading it if needed. NULL after reporting. */
struct object *load_library(const char *name, struct object *loader, enum found_by as, bool unloadable, bool quiet);
struct object *load_without_mapping(const char *name, struct object *loader);     /* RTLD_NOLOAD: by name, then by file; NULL: not loaded */
void load_publish(struct object *first);                       /* make objects from `first` on known to libc and debuggers */
/* load_graph - everything `first` and the objects after it in the list need. */
int load_graph(struct object *first, bool unloadable);
int load_program(const char *path);
struct object *load_opened(int fd, const struct stat *st, const char *path);   /* a library by its open file, not yet in the list; NULL: reported */
/* What the cache asks of loading, and is told (cache/cache.h); run/ does not know it otherwise. NULL: no cache. */
enum bind_when { BIND_LAZY, BIND_NOW };
struct load_hooks {
    bool (*program)(const char *path, int fd, const struct stat *st);       /* true: mapped, session.program set */
    u64 (*place)(struct object *object, const struct stat *st);             /* 0: anywhere; told of every file mapped */
    /* dlopen, with the load lock held */
    int (*take)(struct object *object, enum bind_when when);                /* 1: relocated, from an image; 0: not; negative: reported */
    void (*discarded)(const struct object *object);                         /* it was told of, and goes again */
    int (*opened)(bool whole);        /* everything new is relocated and not yet sealed, or given up; 0 or negative, reported */
};
extern struct load_hooks load_hooks;
int check_isa(const struct object *object);
int load_adopted(struct object *object);                       /* read dynamic, versions */
/* check_versions - every version the object needs exists; reports each that does not. `warn`: also say what only looks odd. */
int check_versions(struct object *object, bool warn);
struct object *load_only_loaded(const char *name, struct object *loader);
void load_search_init(void);

/* relocate.c */
/* relocate_object - all relocations of one object; its needs are relocated already.
 *   returns 0 or a negative code of the first problem; at start-up every missing symbol is reported before returning */
int relocate_object(struct object *object, enum bind_when when);
void relocate_prepare(const struct scope *scope, bool bind_now);   /* may build session.index */
void relocate_done(void);                                      /* drops it */
/* bind_symbol - value for a reference made by `object` to its symbol table entry `index`; used by relocation and by lazy binding. */
/* find_reference - the definition by scope and version alone: 0 found, 1 undefined weak, negative: reported. Takes no lock.
 * settle_binding - then, with the load lock held: one definition for unique symbols, and `found` kept loaded as long as its user.
 * binding_needs_settling - whether that would do anything. */
int find_reference(const struct reference *reference, struct binding *out);
bool binding_needs_settling(const struct reference *reference, const struct binding *found);
int settle_binding(const struct reference *reference, struct binding *found);
u64 binding_address(const struct binding *binding);            /* runs IFUNC resolvers; compat overrides applied */
/* object_note_binding - `from` uses `to` now: `to` must not be unloaded before it. */
void object_note_binding(struct object *from, struct object *to);

/* unique.c: unique_binding - the process's one definition of a unique symbol: `mine` if it is the first. False: no memory. Takes the
 * load lock. unique_forget - the object goes (a failed dlopen: in use it could not). */
bool unique_binding(const struct binding *mine, struct binding *out);
void unique_forget(const struct object *object);
/* unique_each - every definition entered. unique_before_first - `tell` is called before the first question: it enters what a start from
 * the cache did not ask for. */
void unique_each(void (*visit)(void *context, const struct binding *binding), void *context);
void unique_before_first(void (*tell)(void));

/* protect.c */
int protect_relro(struct object *object);
int make_stack_executable(void);

/* bind.c: lazily bound calls; called from arch/x86_64/bind.S */
void bind_learn_vector_state(void);    /* after the genuine linker computed the CPU features */
void bind_set_up(struct object *object, u64 pltgot);
u64 bind_slot(u64 word, u64 index);    /* word: GOT[1] as bind_set_up left it */

/* tls.c */
int tls_add_module(struct object *object);                     /* gives a module id */
void tls_remove_module(struct object *object);
/* tls_make_static - a block below tp for an object (initial-exec relocations, start-up objects). 0 or -LDR_E_STATIC_TLS (reported). */
int tls_make_static(struct object *object);
bool tls_try_static(struct object *object);                    /* the same, silent: TLSDESC may use it when room is plentiful */
int tls_start_main_thread(u64 tcb_size);                       /* allocate static block, TCB, DTV; install the thread pointer */
void tls_copy_images(char *tp);                                /* initialise all static blocks of a thread */
void tls_copy_image_everywhere(struct object *object);         /* a late static block, in all threads */
char *tls_thread_pointer(void);          /* of the thread that runs: its TCB */
void *tls_address(u64 module, u64 offset);                     /* this thread's address; allocates */
void *tls_address_soft(struct object *object);                 /* NULL when the thread has no block yet */
struct thread_store *tls_thread_store(void);                   /* this thread's private slot (dlerror); NULL: no memory */
void *tls_allocate(void *tcb);                                 /* contract of _dl_allocate_tls */
void *tls_allocate_init(void *tcb, bool images);
void tls_deallocate(void *tcb, bool free_tcb);
struct thread_store {
    char *error;                      /* pending dlerror text, from heap; or NULL */
    bool error_taken;
    bool permanent;                   /* the DTV around it is start-up memory */
};
struct tls_index { u64 module, offset; };
/* While a thread looks a symbol up without a lock, no object may be unmapped under it. Enter returns what leave must be given. */
u32 tls_lookup_enter(void);
void tls_lookup_leave(u32 outer);
void tls_wait_for_lookups(void);                               /* returns when no other thread is inside a lookup begun before */
void *ldr_tls_get_addr(struct tls_index *index);               /* arch/x86_64/tls.S */

/* init.c */
int init_order_build(struct object *root, struct arena *arena);/* closure and init_order of a root */
void init_run(struct object *root);                            /* constructors of everything below root that has none run */
void init_finish_all(void);                                    /* termination: destructors of everything */
void init_finish_object(struct object *object);
u64 init_finalizer(void);                                       /* the C library's __cxa_finalize, which an idle object's end still calls; 0: none */

/* find_object.c: lock-free address -> object, for unwinders */
bool find_table_update(void);                                  /* call under the write lock after the list changed */
const struct found_range *find_range(u64 addr, struct found_range *copy);

/* open.c, close.c: the dl family's work; the caller holds the load lock */
struct object *open_object(const char *name, int mode, struct object *caller);
int close_object(struct object *object);
void open_rollback(struct object *first_new);
void unload_objects(struct object **list, u32 count);

#endif
