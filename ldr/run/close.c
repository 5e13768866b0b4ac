/* close.c - dlclose: what nobody uses any more runs its destructors and is unmapped.
 *
 * In use: opened, loaded at start, marked no-delete, with thread_local destructors pending, or reachable from such an object by need or
 * by a binding. Everything else goes at once. */
#include "run.h"
#include "../compat/shim.h"
#include "../debug/events.h"
#include "../debug/r_debug.h"

static bool holds_itself(struct object *object)
{
    u64 *pending = shim_tls_dtor_count(object);
    return object->at_start || object->open_count || object->no_delete || (pending && *pending);
}

/* Marks everything reachable; the list grows while it is walked, each object enters once. */
static u32 mark_used(struct object **work)
{
    u32 count = 0;
    for (struct object *object = session.first; object; object = object->next) {
        object->visited = holds_itself(object);
        if (object->visited)
            work[count++] = object;
    }
    for (u32 at = 0; at < count; at++) {
        struct object *object = work[at];
        for (u32 i = 0; i < object->needed_count + object->filtee_count + object->bound_count; i++) {
            struct object *next = i < object->needed_count ? object->needed[i]
                                  : i < object->needed_count + object->filtee_count ? object->filtee[i - object->needed_count]
                                                                                    : object->bound_to[i - object->needed_count - object->filtee_count];
            if (!next->visited) {
                next->visited = true;
                work[count++] = next;
            }
        }
    }
    return count;
}

static void leave_global(struct object **list, u32 count)
{
    struct scope *global = &session.global;
    bool any = false;
    for (u32 i = 0; i < count; i++)
        any |= list[i]->in_global;
    if (!any)
        return;
    /* A new list of the same room, its tail filled with the program: a reader that still holds the old count stays inside. Two lists
     * serve in turn; the one before last has no reader any more (tls_wait_for_lookups of the removal in between). */
    static struct object **spare;
    static u32 spare_room;
    struct object **fresh = spare_room >= global->room ? spare : heap_alloc(global->room * sizeof *fresh);
    if (!fresh)
        fresh = global->object;       /* no memory: in place rather than leave what goes */
    if (fresh != spare)
        heap_free(spare);
    spare = NULL;
    spare_room = 0;
    u32 kept = 0, room = global->room;
    for (u32 i = 0; i < global->count; i++)
        if (!global->object[i]->visited || !global->object[i]->in_global)
            fresh[kept++] = global->object[i];
    for (u32 i = kept; i < room; i++)
        fresh[i] = session.program;
    if (fresh != global->object && global->in_heap) {
        spare = global->object;
        spare_room = room;
    }
    global->in_heap |= fresh != global->object;
    __atomic_store_n(&global->object, fresh, __ATOMIC_RELEASE);
    __atomic_store_n(&global->count, kept, __ATOMIC_RELEASE);
}

/* Out of every scope and list, unmapped, freed. Destructors have run, or never had to. */
void unload_objects(struct object **list, u32 count)
{
    if (!count)
        return;
    for (struct object *object = session.first; object; object = object->next)
        object->visited = false;
    for (u32 i = 0; i < count; i++)
        list[i]->visited = true;      /* here: going */
    leave_global(list, count);
    for (struct object *object = session.first; object; object = object->next)
        if (object->loader && object->loader->visited)
            object->loader = NULL;
    for (u32 i = 0; i < count; i++)
        unique_forget(list[i]);
    debug_announce(DEBUG_REMOVING);
    shim_lock_write();
    for (u32 i = 0; i < count; i++)
        for (struct object *object = session.first; object; object = object->next)
            if (!object->visited && list[i]->closure.count)
                object_remove_scope(object, &list[i]->closure);
    for (u32 i = 0; i < count; i++) {
        /* Objects that failed before they were published have an empty map: nothing to unlink there. */
        object_list_remove(list[i]);
        if (object_map(list[i])->l_ld || object_map(list[i])->l_prev)
            shim_object_removed(list[i]);
    }
    find_table_update();
    shim_unlock_write();
    tls_wait_for_lookups();
    for (u32 i = 0; i < count; i++)
        tls_remove_module(list[i]);
    shim_publish_modules();
    debug_announce(DEBUG_CONSISTENT);
    for (u32 i = 0; i < count; i++) {
        event_unload(list[i]);
        debug_unloaded(list[i]);
        unmap_object(list[i]);
        object_free(list[i]);
    }
}

static bool closing, again;

/* One round: returns whether a destructor closed something else meanwhile. */
static void sweep(void)
{
    u32 most = session.object_count;
    struct object **work = heap_alloc(6ul * (most + 1) * sizeof *work);
    if (!work)
        return;
    mark_used(work);
    event_sweep();
    u32 count = 0;
    for (struct object *object = session.first; object; object = object->next)
        if (!object->visited && !object->is_vdso)
            work[count++] = object;
    for (struct object *object = session.first; object; object = object->next)
        object->visited = false;
    if (count) {
        graph_sort(work, count, false, true, work + most + 1);
        for (u32 i = 0; i < count; i++)
            init_finish_object(work[i]);
        /* A destructor may have opened something that needs one of these: it stays, finished as it is. */
        struct object **used = heap_alloc((session.object_count + 1ul) * sizeof *used);
        u32 going = 0;
        if (used) {
            mark_used(used);
            for (u32 i = 0; i < count; i++)
                if (!work[i]->visited)
                    work[going++] = work[i];
            heap_free(used);
        }
        unload_objects(work, going);
    }
    heap_free(work);
}

int close_object(struct object *object)
{
    if (!object->open_count)
        return -LDR_E_INVALID;
    object->open_count--;
    event_closing(object);
    if (object->open_count || object->at_start || object->no_delete)
        return 0;
    if (closing) {
        again = true;                 /* called from a destructor: the outer call goes round once more */
        return 0;
    }
    closing = true;
    do {
        again = false;
        sweep();
    } while (again);
    closing = false;
    return 0;
}
