/* warm.c - the steps of start/main.c that a start from a record makes instead of loading, sorting and laying out. */
#include "cache_private.h"
#include "../debug/events.h"

static const struct record_object *recorded(u32 i)
{
    return (const struct record_object *)((const char *)cache.record + cache.record->objects) + i;
}

static const u32 *numbers(u32 off) { return (const u32 *)((const char *)cache.record + off); }

static bool give_objects(struct object ***list, u32 off, u32 count)
{
    if (!count)
        return true;
    *list = arena_alloc(&session.permanent, count * sizeof **list);
    for (u32 i = 0; i < count && *list; i++)
        (*list)[i] = cache.object[numbers(off)[i]];
    return *list != NULL;
}

static bool give_names(struct object *object, const struct record_object *from)
{
    for (u32 i = 0; i < from->alias_count; i++)
        if (!object_add_alias(object, (const char *)cache.record + numbers(from->aliases)[i]))
            return false;
    return true;
}

static void tell_unique(void)
{
    const struct unique_pair *pair = (const void *)((const char *)cache.record + cache.record->uniques);
    for (u32 i = 0; i < cache.record->unique_count; i++)
        if (pair[i].object < cache.record->object_count) {
            struct object *object = cache.object[pair[i].object];
            struct binding mine = { object, &object->image.symtab[pair[i].symbol] }, out;
            if (pair[i].symbol < object->image.sym_limit)
                unique_binding(&mine, &out);
        }
}

int cache_list_objects(void)
{
    u32 count = cache.record->object_count;
    for (u32 i = 0; i < count; i++)
        if (recorded(i)->kind == KIND_KERNEL)
            cache.object[i] = i == 0 ? session.program : session.vdso;
    for (u32 i = 0; i < count; i++) {
        const struct record_object *from = recorded(i);
        struct object *object = cache.object[i];
        if (object != session.program && object != session.vdso)
            object_list_add(object);
        object->found_by = (enum found_by)from->found_by;
        object->loader = from->loader == NO_OBJECT ? NULL : cache.object[from->loader];
        object->needed_count = from->needed_count;
        object->filtee_count = from->filtee_count;
        if (!give_names(object, from) || !give_objects(&object->needed, from->needed, from->needed_count) ||
            !give_objects(&object->filtee, from->filtee, from->filtee_count))
            return report_values(&session.report, LDR_E_NO_MEMORY, object_label(object), 0, 0, 0);
        if (from->kind != KIND_KERNEL && object != session.program)      /* those were told when they were met */
            event_mapped(object);
        if (object->state == OBJECT_MAPPED && !object->is_vdso)
            object->state = object->shared ? OBJECT_RELOCATED : OBJECT_LINKED;
        object->sealed_already = object->shared && !from->own_words;
        const struct patch *patch = (const void *)((const char *)cache.record + from->patches);
        for (u32 k = 0; k < from->patch_count && object->shared; k++)
            *(u64 *)(from->bias + patch[k].vaddr) = session.program->bias + patch[k].addend;
    }
    /* Found while searching, in the current directory of then; the program may leave it. */
    if (cache.record->origin)
        session.program->origin = (const char *)cache.record + cache.record->origin;
    if (cache.record->unique_count)
        unique_before_first(tell_unique);
    if (WATCHED(WATCH_CACHE | WATCH_RECORD))
        tell_warm();
    return 0;
}

int cache_take_order(void)
{
    struct object **list;
    u32 count = cache.record->closure_count;
    struct object *program = session.program;
    if (!give_objects(&list, cache.record->closure, count) || !give_objects(&program->init_order, cache.record->init_order, count))
        return report_values(&session.report, LDR_E_NO_MEMORY, object_label(program), count, 0, 0);
    program->closure = (struct scope){ .object = list, .count = count, .room = count };
    return 0;
}

int cache_check_tls(void)
{
    for (u32 i = 0; i < cache.record->object_count; i++)
        if (cache.object[i]->tls_module != recorded(i)->tls_module || cache.object[i]->tls_offset != recorded(i)->tls_offset)
            return report_values(&session.report, LDR_E_CACHE, object_label(cache.object[i]), cache.object[i]->tls_offset, recorded(i)->tls_offset, i);
    return 0;
}
