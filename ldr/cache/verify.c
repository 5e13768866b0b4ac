/* verify.c - LDR_CACHE=verify: the start is made anew, as if there were no record, and compared with what the record would have done. */
#include "cache_private.h"

static int differs(const struct object *object, u64 found, u64 expected, u64 place)
{
    return report_values(&session.report, LDR_E_CACHE, object_label(object), found, expected, place);
}

static int verify_needs(const struct object *object, const struct record_object *from, const struct record_head *record)
{
    const u32 *needed = (const u32 *)((const char *)record + from->needed);
    if (object->needed_count != from->needed_count)
        return differs(object, from->needed_count, object->needed_count, 0);
    for (u32 i = 0; i < from->needed_count; i++)
        if (object->needed[i]->mark != needed[i])
            return differs(object, needed[i], object->needed[i]->mark, i);
    return 0;
}

static int verify_object(const struct draft *of, const struct record_object *from, const struct record_head *record)
{
    const struct object *object = of->object;
    if (from->kind != of->kind)
        return differs(object, from->kind, of->kind, 0);
    if (from->kind != KIND_KERNEL && (from->map_start != object->map_start || from->bias != object->bias))
        return differs(object, from->map_start, object->map_start, 0);
    if (from->tls_module != object->tls_module || from->tls_offset != object->tls_offset)
        return differs(object, from->tls_offset, object->tls_offset, from->tls_module);
    int err = verify_needs(object, from, record);
    if (err || from->kind != KIND_SHARED)
        return err;
    const struct piece *piece = (const void *)((const char *)record + from->pieces);
    if (!draft_equals(of, piece, from->piece_count, (const void *)((const char *)record + record->packs), record->pack_count))
        return differs(object, from->piece_count, of->piece_count, of->piece[0].vaddr);
    return from->patch_count != of->patch_count ? differs(object, from->patch_count, of->patch_count, 0) : 0;
}

static int verify_order(const struct record_head *record)
{
    const u32 *order = (const u32 *)((const char *)record + record->init_order);
    const struct object *program = session.program;
    if (program->closure.count != record->closure_count)
        return differs(program, record->closure_count, program->closure.count, 0);
    for (u32 i = 0; i < record->closure_count; i++)
        if (program->init_order[i]->mark != order[i])
            return differs(program->init_order[i], order[i], program->init_order[i]->mark, i);
    return 0;
}

int verify_all(const struct record_head *record)
{
    struct draft *draft;
    u32 count;
    if (!draft_all(&draft, &count))
        return 0;
    if (count != record->object_count)
        return differs(session.program, record->object_count, count, 0);
    const struct record_object *from = (const void *)((const char *)record + record->objects);
    int err = verify_order(record);
    for (u32 i = 0; i < count && !err; i++)
        err = verify_object(&draft[i], &from[i], record);
    return err;
}
