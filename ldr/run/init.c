/* init.c - constructors and destructors in dependency order (gABI "Initialization and Termination Functions").
 *
 * Constructors get (argc, argv, envp), which glibc's own needs. The program's are not run here: libc's start code runs them, through
 * the link map, after its own set-up. Destructors run in the order of graph_sort over everything that was initialised. */
#include "run.h"
#include "../compat/shim.h"
#include "../debug/events.h"

typedef void (*init_function)(int, char **, char **);
typedef void (*fini_function)(void);

int init_order_build(struct object *root, struct arena *arena)
{
    u32 most = session.object_count + 1;
    char local[1024] __attribute__((aligned(16)));         /* enough for a small program: no system call then */
    struct arena scratch = { .next = local, .end = local + sizeof local, .more = scratch_more };
    struct object **found = arena_alloc(&scratch, most * sizeof *found);
    struct object **work = arena_alloc(&scratch, 4ul * most * sizeof *work);
    int err = -LDR_E_NO_MEMORY;
    if (found && work) {
        struct object **preloads = NULL;
        u32 preload_count = 0;
        if (root == session.program) {
            preloads = work;
            for (struct object *object = root->next; object; object = object->next)
                if (object->found_by == FOUND_PRELOAD)
                    preloads[preload_count++] = object;
        }
        u32 count = graph_closure(root, preloads, preload_count, found);
        struct object **closure = arena_alloc(arena, 2ul * count * sizeof *closure);
        if (closure) {
            memcpy(closure, found, count * sizeof *closure);
            root->closure = (struct scope){ .object = closure, .count = count, .room = count };
            root->init_order = NULL;  /* the sort must see its needs, not an older order */
            graph_sort(found, count, true, false, work);
            memcpy(closure + count, found, count * sizeof *closure);
            root->init_order = closure + count;
            err = 0;
        }
    }
    scratch_free(&scratch);
    return err ? report_values(&session.report, -err, object_label(root), most, 0, 0) : 0;
}

/* The destructor that every compiler's start files bring reads a byte, finds it 0 and sets it: of a page not touched before that is two
 * faults, the second of which replaces what the first has mapped (measured where a hypervisor keeps page tables of its own: 40 us an
 * object, a third of all that a start and end of 100 libraries takes). Written first it is one. The write changes nothing, and the page
 * becomes private no sooner than it would. Only for a function that sets the byte itself, so could not do with a page that may be read only. */
static void write_once_flag(const struct object *object, u64 function)
{
    const struct image *image = &object->image;
    const u8 *code = view_at(&object->view, function - object->bias, ARCH_ONCE_BYTES);
    u64 address = code ? arch_once_flag(code, function) : 0, flag = address - object->bias;
    u64 sealed = align_down(image->relro_vaddr, LDR_PAGE), sealed_end = align_down(image->relro_vaddr + image->relro_len, LDR_PAGE);
    if (address && plan_place_fits(&image->plan, flag, 1, false) && (flag < sealed || flag >= sealed_end))
        __asm__ volatile("lock orb $0, %0" : "+m"(*(u8 *)address) : : "cc");
}

static void call_array(const struct object *object, const struct func_array *array, enum call_kind kind)
{
    const bool backwards = kind == CALL_FINI_ARRAY;
    const u64 *at = (const u64 *)(object->bias + array->vaddr);
    for (u64 i = 0; i < array->count; i++) {
        u64 function = at[backwards ? array->count - 1 - i : i];
        /* 0 and -1 are place holders of old link editors */
        if (function == 0 || function == ~0ull)
            continue;
        event_call(object, kind, function);
        if (backwards) {
            write_once_flag(object, function);
            ((fini_function)function)();
        } else {
            ((init_function)function)(session.kernel.argc, session.kernel.argv, session.kernel.envp);
        }
        event_returned(object, kind, function);
    }
}

u64 init_finalizer(void)
{
    return shim_finalizer();
}

/* Where somebody listens to that everything is called, so that what is told is what the object asks for. */
static bool is_idle(const struct object *object, u32 what)
{
    return (object->idle & what) && !(session.watch & (WATCH_CALLS | WATCH_RECORD));
}

static void init_object(struct object *object)
{
    if (object->state >= OBJECT_INITIALISING)
        return;
    object->state = OBJECT_INITIALISING;
    if (!object->is_program && !object->is_linker && !object->is_vdso && !is_idle(object, IDLE_START)) {
        const u64 init = object->bias + object->image.init_vaddr;
        event_calling(object, CALL_INIT);
        if (object->image.init_vaddr) {
            event_call(object, CALL_INIT, init);
            ((init_function)init)(session.kernel.argc, session.kernel.argv, session.kernel.envp);
            event_returned(object, CALL_INIT, init);
        }
        call_array(object, &object->image.init_array, CALL_INIT_ARRAY);
    }
    object->state = OBJECT_INITIALISED;
}

/* Of several the one that was loaded last is first, before what it needs itself; the others have no right to it, now or later. */
static void init_the_first(void)
{
    struct object *first = session.init_first;
    session.init_first = NULL;
    if (first)
        init_object(first);
}

void init_run(struct object *root)
{
    const struct scope *closure = &root->closure;
    init_the_first();
    if (root == session.program) {
        if (root->image.preinit_array.count)
            event_calling(root, CALL_PREINIT_ARRAY);
        call_array(root, &root->image.preinit_array, CALL_PREINIT_ARRAY);
    }
    for (u32 i = closure->count; i-- > 0;)
        init_object(root->init_order[i]);
}

void init_finish_object(struct object *object)
{
    /* Also while its constructor runs: exit() may be called there. */
    if (object->state != OBJECT_INITIALISED && object->state != OBJECT_INITIALISING)
        return;
    object->state = OBJECT_FINISHED;
    if (object->is_linker || object->is_vdso)
        return;
    if (is_idle(object, IDLE_END)) {
        if (object->dso_handle)
            ((void (*)(u64))init_finalizer())(object->dso_handle);
        return;
    }
    const u64 fini = object->bias + object->image.fini_vaddr;
    event_calling(object, CALL_FINI);
    call_array(object, &object->image.fini_array, CALL_FINI_ARRAY);
    if (object->image.fini_vaddr) {
        event_call(object, CALL_FINI, fini);
        ((fini_function)fini)();
        event_returned(object, CALL_FINI, fini);
    }
}

void init_finish_all(void)
{
    event_phase(PHASE_FINISH);
    shim_lock_load();
    u32 count = 0, most = session.object_count;
    char local[1024] __attribute__((aligned(16)));
    struct arena scratch = { .next = local, .end = local + sizeof local, .more = scratch_more };
    struct object **list = arena_alloc(&scratch, 5ul * (most + 1) * sizeof *list);
    if (list) {
        for (struct object *object = session.first; object; object = object->next)
            if (!object->is_vdso)
                list[count++] = object;
        graph_sort(list, count, true, true, list + most + 1);
    }
    /* A destructor may open or close objects: keep every object of the list alive. */
    for (u32 i = 0; i < count; i++)
        list[i]->open_count++;
    shim_unlock_load();
    for (u32 i = 0; i < count; i++)
        init_finish_object(list[i]);
    scratch_free(&scratch);
    event_phase(PHASE_END);
}
