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

/* Everything the reader of the file found, as it stands in the record: pointers lead into the object at its fixed place. */
static int verify_image(const struct object *object, const struct record_object *from, const struct record_head *record)
{
    const char *base = (const char *)record;
    struct image here, there;
    memcpy(&here, &object->image, sizeof here);
    memcpy(&there, &from->image, sizeof there);
    const struct segment *seg = (const void *)(base + (u64)there.plan.seg);
    const struct version *version = (const void *)(base + (u64)there.version);
    here.version_count = here.version ? here.version_count : 0;
    if (here.plan.seg_count == there.plan.seg_count && memcmp(here.plan.seg, seg, here.plan.seg_count * sizeof *seg) != 0)
        return differs(object, seg->vaddr, here.plan.seg->vaddr, 0);
    if (here.version_count && here.version_count == there.version_count && memcmp(here.version, version, here.version_count * sizeof *version) != 0)
        return differs(object, there.version_count, here.version_count, 0);
    here.path = there.path = NULL;
    here.plan.seg = there.plan.seg = NULL;
    here.version = there.version = NULL;
    const u64 *a = (const u64 *)&there, *b = (const u64 *)&here;
    for (u64 i = 0; i < sizeof here / 8; i++)
        if (a[i] != b[i])
            return differs(object, a[i], b[i], i * 8);
    return 0;
}

/* What is left out of each start, and what it need not read. */
static int verify_idle(const struct draft *of, const struct record_object *from, const struct record_head *record)
{
    const u32 *tag = (const void *)((const char *)record + from->dyn_tags);
    const struct image *image = &of->object->image;
    struct idle idle = draft_idle(of);
    if (from->idle != idle.what || from->dso_handle != idle.dso_handle)
        return differs(of->object, from->idle, idle.what, from->dso_handle);
    for (u32 i = 0; i < image->dyn_count; i++)
        if (tag[i] != short_tag(image->dyn[i].d_tag))
            return differs(of->object, tag[i], short_tag(image->dyn[i].d_tag), image->dyn_vaddr + i * sizeof *image->dyn);
    return 0;
}

/* The words that are stored at each start. */
static int verify_patches(const struct draft *of, const struct record_object *from, const struct record_head *record)
{
    const struct patch *patch = (const void *)((const char *)record + from->patches);
    u32 at = 0;
    if (from->patch_count != of->patch_count || from->own_words != of->own_words)
        return differs(of->object, from->patch_count, of->patch_count, 0);
    for (u32 i = 0; i < of->fixup_count; i++) {
        u64 vaddr = of->fixup[i].vaddr;
        if (!of->fixup[i].patch)
            continue;
        u64 addend = *(u64 *)(of->object->bias + vaddr) - session.program->bias;
        if (patch[at].vaddr != vaddr || patch[at].addend != addend)
            return differs(of->object, patch[at].addend, addend, vaddr);
        at++;
    }
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
    if (from->found_by != (u32)object->found_by || from->loader != (object->loader ? object->loader->mark : NO_OBJECT))
        return differs(object, from->found_by, object->found_by, 0);
    int err = verify_needs(object, from, record);
    if (!err && from->kind != KIND_KERNEL)
        err = verify_image(object, from, record);
    if (err || from->kind != KIND_SHARED)
        return err;
    const struct piece *piece = (const void *)((const char *)record + from->pieces);
    if (!draft_equals(of, piece, from->piece_count, (const void *)((const char *)record + record->packs), record->pack_count))
        return differs(object, from->piece_count, of->piece_count, of->piece[0].vaddr);
    err = verify_idle(of, from, record);
    return err ? err : verify_patches(of, from, record);
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
    if (!err && (record->facts_len != cache.facts_len || memcmp((const char *)record + record->facts, cache.facts, cache.facts_len) != 0))
        err = differs(session.libc, record->facts_len, cache.facts_len, 0);
    for (u32 i = 0; i < count && !err; i++)
        err = verify_object(&draft[i], &from[i], record);
    return err;
}
