/* open.c - dlopen: load, link, place, relocate, protect, publish, initialise; or leave everything as it was.
 *
 * Order: objects are mapped and published (debuggers may set breakpoints), then relocated dependencies first, sealed, and only then
 * do constructors run, with the load lock held, as under the system's linker. Any failure before constructors takes every new object
 * back out: nothing of the process has changed but the counters. */
#include "run.h"
#include "../compat/shim.h"
#include "../debug/events.h"
#include "../debug/r_debug.h"

#define MODE_LAZY 1
#define MODE_NOW 2
#define MODE_NOLOAD 4
#define MODE_DEEPBIND 8
#define MODE_GLOBAL 0x100
#define MODE_NODELETE 0x1000

static bool is_new(const struct object *object)
{
    return object->state < OBJECT_RELOCATED && !object->at_start;
}

/* Scopes: new objects search the global scope, then the root's closure (or the other way round); objects that were there
 * already get the new closure as a further list, so that what they need can be found through it. */
static int set_scopes(struct object *root, int mode)
{
    struct scope *closure = &root->closure;
    for (u32 i = 0; i < closure->count; i++) {
        struct object *object = closure->object[i];
        bool ok = true;
        if (is_new(object) && !object->scope_count) {
            if (mode & MODE_DEEPBIND)
                ok = object_add_scope(object, closure, false) && object_add_scope(object, &session.global, false);
            else
                ok = object_add_scope(object, &session.global, false) && object_add_scope(object, closure, false);
            if (ok && object->image.symbolic)
                ok = scope_add(&object->symbolic_scope, object, object->arena) && object_add_scope(object, &object->symbolic_scope, true);
        } else if (!object->is_vdso && !object->at_start) {
            ok = object_add_scope(object, closure, false);
        }
        if (!ok)
            return report_values(&session.report, LDR_E_NO_MEMORY, object_label(object), 0, 0, 0);
    }
    return 0;
}

static void make_global(struct object *root)
{
    for (u32 i = 0; i < root->closure.count; i++) {
        struct object *object = root->closure.object[i];
        /* Old lists of the global scope are kept: a thread may be walking one. */
        if (!object->in_global && scope_add(&session.global, object, &session.permanent))
            object->in_global = true;
    }
}

static int prepare(struct object *first)
{
    int err = 0;
    for (struct object *object = first; object && !err; object = object->next) {
        err = check_isa(object);
        if (!err)
            err = check_versions(object, false);
        if (!err)
            err = tls_add_module(object);
        if (!err && (object->image.stack_flags & PF_X) && !(session.program->image.stack_flags & PF_X)) {
            int failed = make_stack_executable();
            if (failed)
                err = report_errno(&session.report, LDR_E_EXEC_STACK, object->path, -failed);
        }
    }
    return err;
}

static int relocate_new(struct object *root, enum bind_when when)
{
    int err = 0;
    for (u32 i = root->closure.count; i-- > 0 && !err;) {
        struct object *object = root->init_order[i];
        if (object->state >= OBJECT_RELOCATED)
            continue;
        int taken = load_hooks.take ? load_hooks.take(object, when) : 0;
        err = taken > 0 ? 0 : taken < 0 ? taken : relocate_object(object, when);
    }
    return err || !load_hooks.opened ? err : load_hooks.opened(true);
}

/* Load to protect. `first` is where new objects start in the list; NULL: none are new. */
static int link_new(struct object *root, struct object *first, int mode)
{
    int err = 0;
    if (first) {
        err = prepare(first);
        if (err)
            return err;
    }
    if (!root->closure.count && (err = init_order_build(root, root->arena)))
        return err;
    if ((err = set_scopes(root, mode)))
        return err;
    for (u32 i = 0; i < root->closure.count; i++)
        event_scopes(root->closure.object[i], 0, NULL);
    if (!first)
        return 0;
    debug_announce(DEBUG_ADDING);
    load_publish(first);
    shim_publish_modules();
    err = relocate_new(root, mode & MODE_NOW || session.config.bind_now ? BIND_NOW : BIND_LAZY);
    for (struct object *object = first; object && !err; object = object->next)
        err = protect_relro(object);
    for (struct object *object = session.first; object && !err; object = object->next)
        if (object->tls_static_pending)
            tls_copy_image_everywhere(object);
    return err;
}

/* Takes every object from `first` on out again. None has run a constructor. */
void open_rollback(struct object *first)
{
    u32 count = 0;
    for (struct object *object = first; object; object = object->next)
        count++;
    struct object **list = heap_alloc((count + 1) * sizeof *list);
    if (!list)
        return;
    count = 0;
    for (struct object *object = first; object; object = object->next)
        list[count++] = object;
    unload_objects(list, count);
    heap_free(list);
}

static struct object *open_now(const char *name, int mode, struct object *caller)
{
    struct object *root, *last_before = session.last;
    event_opening(name, mode, caller);
    if (mode & MODE_NOLOAD) {
        root = load_without_mapping(name, caller);
        if (!root)
            event_opened(name, NULL);
        if (!root)
            return NULL;
    } else {
        root = load_library(name, caller, FOUND_NAME, true, false);
        if (!root)
            event_opened(name, NULL);
        if (!root)
            return NULL;
        if (last_before->next == root)
            root->loader = NULL;      /* the caller's paths served to find it; the chain for what it needs starts here */
    }
    struct object *first = last_before->next;
    bool had_closure = root->closure.count != 0;
    int err = first ? load_graph(first, true) : 0;
    if (!err)
        err = link_new(root, first, mode);
    if (err) {
        /* Blocks given to objects that were there before hold live data by now, or never will be asked for again. */
        for (struct object *object = session.first; object != first; object = object->next)
            object->tls_static_pending = false;
        if (!had_closure && root->closure.count)
            for (struct object *object = session.first; object; object = object->next)
                object_remove_scope(object, &root->closure);
        if (first)
            open_rollback(first);
        event_opened(name, NULL);
        return NULL;
    }
    root->open_count++;
    if (mode & MODE_NODELETE) {
        root->no_delete = true;
        root->no_delete_why = "RTLD_NODELETE";
    }
    if (first)
        debug_announce(DEBUG_CONSISTENT);
    if (first || !had_closure)
        init_run(root);               /* open already: its own opener runs what is left, in its order */
    if (mode & MODE_GLOBAL)
        make_global(root);            /* constructors do not see it yet, as under the system's linker */
    event_opened(name, root);
    return root;
}

struct object *open_object(const char *name, int mode, struct object *caller)
{
    struct object *root = open_now(name, mode, caller);
    if (load_hooks.opened)
        load_hooks.opened(false);     /* a file may have been met that was not taken */
    return root;
}
