/* graph.c - loading breadth first, the closure of a root, and the order of constructors.
 *
 * The order is glibc's since 2.35: depth-first traversal started from the last object of the breadth-first list towards the first, each
 * object written after its needs, from the end of the array to the front. Result: dependents before dependencies; destructors run
 * in that order, constructors in reverse. Recursion is replaced by an explicit stack threaded through the objects' marks, because
 * the depth is a file's choice. */
#include "link.h"

/* Objects of one tag. A missing DT_AUXILIARY filtee is no error (gABI). */
static int load_tag(struct object *object, i64 tag, struct object **out, u32 *count, struct graph_loader *loader)
{
    u32 at = 0;
    u64 off;
    while (image_next_dyn(&object->image, &at, tag, &off)) {
        const char *name = image_string(&object->image, off);
        if (!name)
            return report_values(loader->report, LDR_E_STRING, object->image.path, off, object->image.strtab_len, (u64)tag);
        struct object *needed = loader->load(loader, name, object, tag);
        if (!needed && tag != DT_AUXILIARY)
            return -LDR_E_OPEN;
        if (needed && needed != object)
            out[(*count)++] = needed;
    }
    return 0;
}

int graph_load(struct object *first, struct graph_loader *loader)
{
    for (struct object *object = first; object; object = object->next) {
        if (object->state != OBJECT_MAPPED || object->is_vdso)
            continue;
        u32 needed = object->image.needed_count, filters = object->image.filter_count;
        if (needed)
            object->needed = arena_zalloc(object->arena, (u64)needed * sizeof *object->needed);
        if (filters)
            object->filtee = arena_zalloc(object->arena, (u64)filters * sizeof *object->filtee);
        if ((needed && !object->needed) || (filters && !object->filtee))
            return report_values(loader->report, LDR_E_NO_MEMORY, object->image.path, needed, 0, 0);
        int err = needed ? load_tag(object, DT_NEEDED, object->needed, &object->needed_count, loader) : 0;
        if (!err && filters)
            err = load_tag(object, DT_FILTER, object->filtee, &object->filtee_count, loader);
        if (!err && filters)
            err = load_tag(object, DT_AUXILIARY, object->filtee, &object->filtee_count, loader);
        if (err)
            return err;
        object->state = OBJECT_LINKED;
    }
    return 0;
}

static u32 add_unvisited(struct object *object, struct object **out, u32 count)
{
    if (!object->visited) {
        object->visited = true;
        out[count++] = object;
    }
    return count;
}

u32 graph_closure(struct object *root, struct object **extra, u32 extra_count, struct object **out)
{
    u32 count = 0;
    count = add_unvisited(root, out, count);
    for (u32 i = 0; i < extra_count; i++)
        count = add_unvisited(extra[i], out, count);
    for (u32 at = 0; at < count;) {
        struct object *object = out[at], *filtee = NULL;
        for (u32 i = 0; i < object->filtee_count && !filtee; i++)
            if (!object->filtee[i]->visited)
                filtee = object->filtee[i];
        if (filtee) {
            /* A filtee stands just before its filter (gABI DT_FILTER, DT_AUXILIARY), and may be a filter itself: it is next, then this
             * object again. */
            filtee->visited = true;
            for (u32 k = count++; k > at; k--)
                out[k] = out[k - 1];
            out[at] = filtee;
            continue;
        }
        for (u32 i = 0; i < object->needed_count; i++)
            count = add_unvisited(object->needed[i], out, count);
        at++;
    }
    for (u32 i = 0; i < count; i++)
        out[i]->visited = false;
    return count;
}

static u32 need_edges(const struct object *object)
{
    return object->init_order ? object->closure.count : object->needed_count;
}

/* Edges of an object in visiting order: its sorted list when it is a root, else what it needs; then what it was bound to. */
static struct object *edge_of(const struct object *object, u32 i, bool with_bound)
{
    if (i < need_edges(object))
        return object->init_order ? object->init_order[i] : object->needed[i];
    i -= need_edges(object);
    if (with_bound && i < object->bound_count)
        return object->bound_to[object->bound_count - 1 - i];
    return NULL;
}

/* Depth first from `start`; writes finished objects to *end downwards. The path is a list: parent in stack[], next edge in mark. */
static bool traverse(struct object *start, bool with_bound, struct object **stack, struct object ***end)
{
    bool met_bound = false;
    if (start->visited)
        return false;
    u32 depth = 0;
    start->visited = true;
    start->mark = 0;
    stack[depth++] = start;
    while (depth) {
        struct object *object = stack[depth - 1];
        met_bound |= object->mark >= need_edges(object) && with_bound && object->bound_count;
        struct object *next = edge_of(object, object->mark++, with_bound);
        if (!next) {
            *--*end = object;
            depth--;
        } else if (!next->visited && !next->is_program) {
            next->visited = true;
            next->mark = 0;
            stack[depth++] = next;
        }
    }
    return met_bound;
}

/* Returns whether a binding edge was met. */
static bool sort_once(struct object *const *list, u32 count, bool with_bound, struct object **stack, struct object **out)
{
    struct object **end = out + count;
    /* Edges may lead outside the list (an object of an earlier root): those are visited already as far as this sort goes. */
    for (u32 i = 0; i < count; i++)
        list[i]->visited = false;
    bool met_bound = false;
    for (u32 i = count; i-- > 0;)
        met_bound |= traverse(list[i], with_bound, stack, &end);
    return met_bound;
}

void graph_sort(struct object **list, u32 count, bool keep_first, bool with_bound, struct object **scratch)
{
    if (count < 2)
        return;
    struct object *first = list[0];
    /* While a root's own list is made it has no edges yet, as in glibc: cycles through it are cut there. */
    u32 first_needs = first->needed_count;
    if (keep_first)
        first->needed_count = 0;
    struct object **out = scratch, **stack = scratch + count;
    /* Everything an edge can reach counts as visited unless it is in the list. */
    for (u32 i = 0; i < count; i++)
        for (u32 e = 0;; e++) {
            struct object *edge = edge_of(list[i], e, with_bound);
            if (!edge)
                break;
            edge->visited = true;
        }
    if (sort_once(list, count, with_bound, stack, out)) {
        /* Needs outweigh bindings: a second pass by needs alone over the first order (a binding may contradict a need). */
        struct object **again = stack + count;
        sort_once(out, count, false, stack, again);
        out = again;
    }
    memcpy(list, out, count * sizeof *list);
    first->needed_count = first_needs;
    for (u32 i = 0; i < count; i++) {
        list[i]->visited = false;
        for (u32 e = 0;; e++) {
            struct object *edge = edge_of(list[i], e, with_bound);
            if (!edge)
                break;
            edge->visited = false;
        }
    }
    if (keep_first && list[0] != first) {
        u32 i = 0;
        while (list[i] != first)
            i++;
        memmove(list + 1, list, i * sizeof *list);
        list[0] = first;
    }
}
