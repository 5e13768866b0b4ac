/* tls.c - thread storage: module ids, static blocks below the thread pointer, DTVs, blocks made on first use.
 *
 * Who owns what
 *   static block       part of the thread's stack mapping (libc's) or, for the main thread, of the region made here
 *   DTV                our heap; in front of element -1 lies our struct thread_store (dlerror), which libc never sees:
 *                      libc frees to_free of elements 1..length and clears elements 0..length when it reuses a stack
 *   block on first use the program's malloc, so that libc may free it and leak checkers see it, as under the system's linker
 *
 * Static room. libc takes _dl_tls_static_size from every thread's stack, so a large reserve for everybody would break threads with minimal
 * stacks. The main thread has its own region with a large reserve, committed only when touched; the room of other threads grows when an
 * object needs more and no second thread exists. With threads about, the limit is what the smallest of them has. */
#include "run.h"
#include "../compat/shim.h"
#include "../debug/events.h"

#define MAIN_RESERVE (8ul << 20)      /* address space, not memory */
#define OPTIONAL_STATIC 512ul         /* what TLSDESC may take of the room: it works without */
#define DTV_SLACK 14u                 /* modules a thread may meet before its DTV must grow */
#define FIRST_SLACK 3u                /* the same for the main thread of a program that may never open any */
#define NO_BLOCK (~0ull)

u64 ldr_tls_generation;               /* read by tls.S; grows when a module comes or goes */

struct dtv_element { u64 value, to_free; };
/* Memory before element 0: thread_store, then element -1 (its value is the length). */
struct dtv_block { struct thread_store store; struct dtv_element length, generation, element[]; };

static u64 optional_used;

static struct dtv_block *dtv_block_of(struct dtv_element *dtv)
{
    return (struct dtv_block *)((char *)dtv - offsetof(struct dtv_block, generation));
}
static u64 dtv_length(const struct dtv_element *dtv) { return dtv[-1].value; }

char *tls_thread_pointer(void)
{
    char *tp;
    __asm__("movq %%fs:0, %0" : "=r"(tp));
    return tp;
}
static struct dtv_element *current_dtv(void)
{
    struct dtv_element *dtv;
    __asm__("movq %%fs:8, %0" : "=r"(dtv));
    return dtv;
}

int tls_add_module(struct object *object)
{
    if (!object->image.tls_memsz)
        return 0;
    shim_lock_tls();
    u64 id = 1;
    while (id <= session.module_count && session.module[id].object)
        id++;
    if (id >= session.module_room) {
        u64 room = session.module_room ? session.module_room * 2 : 4;
        struct tls_module *table = session.started ? heap_alloc(room * sizeof *table) : arena_zalloc(&session.permanent, room * sizeof *table);
        if (!table) {
            shim_unlock_tls();
            return report_values(&session.report, LDR_E_NO_MEMORY, object->image.path, room, 0, 0);
        }
        memcpy(table, session.module, (session.module_count + (session.module_room != 0)) * sizeof *table);
        session.module = table;       /* the old one stays: libthread_db may be looking */
        session.module_room = room;
    }
    if (id > session.module_count)
        session.module_count = id;
    u64 generation = session.started ? ldr_tls_generation + 1 : 1;
    session.module[id] = (struct tls_module){ object, generation };
    __atomic_store_n(&ldr_tls_generation, generation, __ATOMIC_RELEASE);
    object->tls_module = id;
    shim_unlock_tls();
    if (session.started)
        event_tls_module(object);
    return 0;
}

void tls_remove_module(struct object *object)
{
    if (!object->tls_module)
        return;
    shim_lock_tls();
    u64 generation = ldr_tls_generation + 1;
    session.module[object->tls_module] = (struct tls_module){ NULL, generation };
    __atomic_store_n(&ldr_tls_generation, generation, __ATOMIC_RELEASE);
    if (object->tls_offset && object->tls_offset == session.tls.used)
        session.tls.used -= object->image.tls_memsz;        /* lowest block: its bytes can be given out again */
    object->tls_module = 0;
    shim_unlock_tls();
}

static bool place_static(struct object *object, struct tls_layout *layout, u64 *offset)
{
    *layout = session.tls;
    return !object->tls_dynamic_used && tls_place(layout, object->image.tls_memsz, object->image.tls_align, object->image.tls_vaddr, offset) &&
           layout->align <= session.tls.align;
}

static void take_static(struct object *object, const struct tls_layout *layout, u64 offset)
{
    session.tls = *layout;
    object->tls_offset = offset;
    shim_tls_changed(object);
    if (session.started)
        event_tls_module(object);
    if (session.started && object->state >= OBJECT_RELOCATED)
        tls_copy_image_everywhere(object);    /* its image is final: no later failure may leave this undone */
    else
        object->tls_static_pending = session.started;
}

int tls_make_static(struct object *object)
{
    struct tls_layout layout;
    u64 offset, limit = session.tls_static_room;
    shim_lock_tls();
    bool fits = place_static(object, &layout, &offset);
    if (fits && layout.used > limit && shim_thread_count() <= 1) {
        u64 room = align_up(layout.used + shim_tls_surplus(), session.tls.align);
        if (layout.used <= session.tls_main_room && shim_static_tls_grow(room))
            limit = session.tls_static_room = room;
    }
    fits = fits && layout.used <= limit && layout.used <= session.tls_main_room;
    if (fits)
        take_static(object, &layout, offset);
    shim_unlock_tls();
    return fits ? 0 : report_values(&session.report, LDR_E_STATIC_TLS, object->image.path, object->image.tls_memsz,
                                    limit > session.tls.used ? limit - session.tls.used : 0, session.tls.used);
}

bool tls_try_static(struct object *object)
{
    struct tls_layout layout;
    u64 offset;
    bool fits = false;
    if (!session.started)
        return false;
    shim_lock_tls();
    if (place_static(object, &layout, &offset) && layout.used <= session.tls_static_room &&
        optional_used + (layout.used - session.tls.used) <= OPTIONAL_STATIC) {
        optional_used += layout.used - session.tls.used;
        take_static(object, &layout, offset);
        fits = true;
    }
    shim_unlock_tls();
    return fits;
}

/* ---- DTV ------------------------------------------------------------------------------------------------------------- */

static struct dtv_element *new_dtv(u64 length)
{
    struct dtv_block *block = heap_alloc(sizeof *block + length * sizeof(struct dtv_element));
    if (!block)
        return NULL;
    block->length.value = length;
    struct dtv_element *dtv = &block->generation;
    for (u64 i = 1; i <= length; i++)
        dtv[i].value = NO_BLOCK;
    return dtv;
}

/* Brings a thread's DTV up to the current generation; blocks of modules that went are chained through their first word into *dead.
 * tls lock held. NULL: no memory. */
static struct dtv_element *update_dtv(struct dtv_element *dtv, u64 **dead)
{
    u64 length = dtv_length(dtv);
    if (length < session.module_count) {
        struct dtv_element *longer = new_dtv(session.module_count + DTV_SLACK);
        if (!longer)
            return NULL;
        struct dtv_block *old = dtv_block_of(dtv);
        bool keep = old->store.permanent;
        dtv_block_of(longer)->store = old->store;
        dtv_block_of(longer)->store.permanent = false;
        memcpy(longer, dtv, (length + 1) * sizeof *dtv);
        shim_set_dtv(tls_thread_pointer(), longer);
        if (!keep)
            heap_free(old);
        dtv = longer;
    }
    for (u64 i = 1; i <= session.module_count; i++) {
        if (session.module[i].generation <= dtv[0].value || dtv[i].value == NO_BLOCK)
            continue;
        u64 *block = (u64 *)dtv[i].to_free;
        dtv[i] = (struct dtv_element){ NO_BLOCK, 0 };
        if (block) {
            *block = (u64)*dead;
            *dead = block;
        }
    }
    dtv[0].value = ldr_tls_generation;
    return dtv;
}

static _Noreturn void out_of_memory(void)
{
    static const char text[] = "cannot allocate memory for thread-local data: ABORT\n";
    sys_write_all(2, text, sizeof text - 1);
    sys_exit(127);
}

void *tls_address(u64 module, u64 offset)
{
    u64 *dead = NULL;
    shim_lock_tls();
    struct dtv_element *dtv = current_dtv();
    if (dtv[0].value != ldr_tls_generation && !(dtv = update_dtv(dtv, &dead)))
        out_of_memory();
    struct object *object = module <= session.module_count ? session.module[module].object : NULL;
    if (object && dtv[module].value == NO_BLOCK && object->tls_offset) {
        dtv[module].value = (u64)tls_thread_pointer() - object->tls_offset;
        dtv[module].to_free = 0;
    }
    shim_unlock_tls();
    while (dead) {
        u64 *next = (u64 *)*dead;
        shim_free(dead);
        dead = next;
    }
    if (!object)
        return NULL;
    if (dtv[module].value == NO_BLOCK) {
        const struct image *image = &object->image;
        u64 align = image->tls_align < 16 ? 16 : image->tls_align, len;
        char *raw = add_u64(image->tls_memsz, align, &len) ? shim_malloc(len) : NULL;
        if (!raw)
            out_of_memory();
        u64 phase = image->tls_vaddr & (align - 1);
        char *block = (char *)align_down((u64)raw + align - 1 - phase, align) + phase;
        if (block < raw)
            block += align;
        memcpy(block, (const void *)(object->bias + image->tls_vaddr), image->tls_filesz);
        memset(block + image->tls_filesz, 0, image->tls_memsz - image->tls_filesz);
        dtv = current_dtv();          /* malloc may have grown it */
        bool taken = false;
        shim_lock_tls();              /* against tls_make_static deciding otherwise at this moment */
        if (dtv[module].value == NO_BLOCK && !object->tls_offset) {
            dtv[module] = (struct dtv_element){ (u64)block, (u64)raw };
            object->tls_dynamic_used = taken = true;
        } else if (dtv[module].value == NO_BLOCK) {
            dtv[module].value = (u64)tls_thread_pointer() - object->tls_offset;
        }
        shim_unlock_tls();
        if (!taken)
            shim_free(raw);
        else
            event_tls_block(module, image->tls_memsz);
    }
    return (void *)(dtv[module].value + offset);
}

void *tls_address_soft(struct object *object)
{
    if (!object->tls_module)
        return NULL;
    struct dtv_element *dtv = current_dtv();
    u64 id = object->tls_module;
    if (id > dtv_length(dtv) || (dtv[0].value < session.module[id].generation && !object->tls_offset))
        return NULL;
    if (object->tls_offset)
        return tls_thread_pointer() - object->tls_offset;
    return dtv[id].value == NO_BLOCK ? NULL : (void *)dtv[id].value;
}

struct thread_store *tls_thread_store(void)
{
    return &dtv_block_of(current_dtv())->store;
}

/* ---- threads --------------------------------------------------------------------------------------------------------- */

static void copy_image(char *tp, const struct object *object)
{
    const struct image *image = &object->image;
    char *block = tp - object->tls_offset;
    memcpy(block, (const void *)(object->bias + image->tls_vaddr), image->tls_filesz);
    memset(block + image->tls_filesz, 0, image->tls_memsz - image->tls_filesz);
}

void *tls_allocate_init(void *tcb, bool images)
{
    if (!tcb)
        return NULL;
    shim_lock_tls();
    struct dtv_element *dtv = shim_get_dtv(tcb);
    for (u64 i = 1; i <= session.module_count && i <= dtv_length(dtv); i++) {
        struct object *object = session.module[i].object;
        dtv[i] = (struct dtv_element){ NO_BLOCK, 0 };
        if (!object || !object->tls_offset)
            continue;
        dtv[i].value = (u64)tcb - object->tls_offset;
        if (images)
            copy_image(tcb, object);
    }
    dtv[0].value = dtv_length(dtv) >= session.module_count ? ldr_tls_generation : 0;
    struct thread_store *store = &dtv_block_of(dtv)->store;        /* a reused stack: the dead thread's dlerror is not the new one's */
    char *stale = store->error;
    store->error = NULL;
    store->error_taken = false;
    shim_unlock_tls();
    heap_free(stale);
    return tcb;
}

/* A fresh static block for whoever makes threads without a stack of libc's: _dl_allocate_tls(NULL). */
static char *allocate_tcb(void)
{
    u64 size = session.tls_static_room + shim_thread_size(), align = session.tls.align;
    char *raw = heap_alloc(size + align + 16);
    if (!raw)
        return NULL;
    char *tp = (char *)align_up((u64)raw + 16 + session.tls_static_room, align);
    *(char **)(tp + shim_thread_size()) = NULL;
    return tp;
}

/* The system's linker has each thread's DTV from the program's malloc, so that one has begun before there is a second thread. libc's counts on
 * it: two threads that make it begin at once leave it broken. */
static void begin_malloc(void)
{
    static bool begun;
    if (begun)
        return;
    begun = true;
    void *first = shim_malloc(DTV_SLACK * sizeof(struct dtv_element));
    if (first)
        shim_free(first);
}

void *tls_allocate(void *tcb)
{
    begin_malloc();
    if (!tcb && !(tcb = allocate_tcb()))
        return NULL;
    struct dtv_element *dtv = new_dtv(session.module_count + DTV_SLACK);
    if (!dtv) {
        shim_no_memory();
        return NULL;
    }
    shim_set_dtv(tcb, dtv);
    return tls_allocate_init(tcb, true);
}

void tls_deallocate(void *tcb, bool free_tcb)
{
    (void)free_tcb;                   /* blocks without a libc stack are few and stay */
    if (!tcb)
        return;
    struct dtv_element *dtv = shim_get_dtv(tcb);
    if (!dtv)
        return;
    for (u64 i = 1; i <= dtv_length(dtv); i++)
        if (dtv[i].to_free)
            shim_free((void *)dtv[i].to_free);
    struct dtv_block *block = dtv_block_of(dtv);
    heap_free(block->store.error);
    shim_set_dtv(tcb, NULL);
    heap_free(block);
}

int tls_start_main_thread(u64 thread_size)
{
    ldr_tls_generation = 1;           /* as glibc; set here, not initialised: a .data page would be private to every process */
    struct tls_layout *layout = &session.tls;
    layout->align = shim_thread_align();
    for (u64 id = 1; id <= session.module_count; id++) {
        struct object *object = session.module[id].object;
        if (!tls_place(layout, object->image.tls_memsz, object->image.tls_align, object->image.tls_vaddr, &object->tls_offset))
            return report_values(&session.report, LDR_E_STATIC_TLS, object->image.path, object->image.tls_memsz, 0, layout->used);
    }
    layout->used += shim_tls_extra(layout->used);
    session.tls_static_room = align_up(layout->used + shim_tls_surplus(), layout->align);
    session.tls_main_room = align_up(layout->used + MAIN_RESERVE, layout->align);
    u64 len;
    /* The thread block ends with the region, so that it and small static blocks share the last page. */
    if (!add_u64(session.tls_main_room, align_up(thread_size, 64) + layout->align + LDR_PAGE - 1, &len) || len > 1ull << 40)
        return report_values(&session.report, LDR_E_STATIC_TLS, "program", layout->used, 1ull << 40, 0);
    len = align_down(len, LDR_PAGE);
    char *region = sys_mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (sys_failed(region)) {
        /* A limit on address space: do without the reserve. */
        len = align_up(session.tls_static_room + align_up(thread_size, 64) + layout->align, LDR_PAGE);
        region = sys_mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }
    if (sys_failed(region))
        return report_errno(&session.report, LDR_E_NO_MEMORY, "static TLS", 0);
    char *tp = (char *)align_down((u64)region + len - align_up(thread_size, 64), layout->align);
    session.tls_main_room = (u64)tp - (u64)region;
    session.main_tp = tp;
    u64 length = session.module_count + FIRST_SLACK;
    struct dtv_block *block = arena_zalloc(&session.permanent, sizeof *block + length * sizeof(struct dtv_element));
    if (!block)
        return report_values(&session.report, LDR_E_NO_MEMORY, "DTV", session.module_count, 0, 0);
    block->store.permanent = true;
    block->length.value = length;
    for (u64 i = 0; i < length; i++)
        block->element[i].value = NO_BLOCK;
    shim_start_thread_pointer(tp);
    shim_set_dtv(tp, &block->generation);
    int err = sys_set_fs(tp);
    return err ? report_errno(&session.report, LDR_E_NO_MEMORY, "thread pointer", -err) : 0;
}

void tls_copy_images(char *tp)
{
    tls_allocate_init(tp, true);
}

static void copy_to_thread(char *tp, void *arg)
{
    copy_image(tp, arg);
}

void tls_copy_image_everywhere(struct object *object)
{
    shim_each_thread(copy_to_thread, object);
    object->tls_static_pending = false;
}

/* ---- lookups without a lock ------------------------------------------------------------------------------------------ */

/* The word at fs:28 is glibc's gscope_flag, at the same place in every version; its own code does not use it while our dl functions
 * are installed. 1: inside a lookup. */
static u32 *lookup_flag(char *tp) { return (u32 *)(void *)(tp + 28); }

u32 tls_lookup_enter(void)
{
    if (!session.started)
        return 0;
    return __atomic_exchange_n(lookup_flag(tls_thread_pointer()), 1, __ATOMIC_SEQ_CST);
}

void tls_lookup_leave(u32 outer)
{
    if (session.started)
        __atomic_store_n(lookup_flag(tls_thread_pointer()), outer, __ATOMIC_RELEASE);
}

static void wait_for_thread(char *tp, void *self)
{
    if (tp == self)
        return;
    /* A lookup takes microseconds, unless its thread is not running: give way. */
    while (__atomic_load_n(lookup_flag(tp), __ATOMIC_SEQ_CST))
        sys_call(__NR_sched_yield, 0, 0, 0, 0, 0, 0);
}

void tls_wait_for_lookups(void)
{
    shim_each_thread(wait_for_thread, tls_thread_pointer());
}
