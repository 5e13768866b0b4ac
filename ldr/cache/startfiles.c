/* startfiles.c - which constructors and destructors of an object come to nothing, so that starts from its image need not call them.
 *
 * Compilers and the C library put the same few functions into every library: _init asks whether there is a profiler, frame_dummy whether there
 * is a library for transactional memory, __do_global_dtors_aux calls __cxa_finalize and notes that it did, _fini does nothing. What the first
 * two decide by is a word of the GOT that RELRO seals, so the outcome is the same in every start from this image. Called, they touch three
 * pages of each library, and make one of them private, for nothing: half of what a start with hundreds of libraries costs.
 *
 * It is the outcome that decides (arch_outcome), not a name or a pattern: a function that stores, calls or decides by anything else is called. */
#include "cache_private.h"
#include "../arch/arch.h"

static bool is_sealed(const struct draft *draft, u64 vaddr, u64 len)
{
    const struct fixup *fixup;
    for (u32 i = 0; i < draft->piece_count; i++)
        if (draft->piece[i].sealed && vaddr - draft->piece[i].vaddr <= draft->piece[i].len - len)
            return draft_clean(draft, vaddr, vaddr + len, &fixup) == len;
    return false;
}

/* What a look at an object works with. */
struct look {
    const struct draft *draft;
    u64 *entries;                     /* of relocation tables, that may still be looked at */
};
#define ENTRIES_MOST (1ull << 24)     /* the lock is held meanwhile: an object that asks for more is called as it wants */

/* Whether it is a word of the GOT that a relocation wrote, and so nobody else does: a variable, also one behind RELRO or among the constants, may
 * be written by a program that makes its page writable for so long. */
static bool is_bound(const struct look *look, u64 vaddr)
{
    const struct image *image = &look->draft->object->image;
    const struct rela_table *table[] = { &image->rela, &image->plt };
    for (u32 t = 0; t < ARRAY_COUNT(table); t++)
        for (u64 i = 0; i < table[t]->count && *look->entries; i++, --*look->entries)
            if (table[t]->at[i].r_offset == vaddr && arch_reloc_kind((u32)ELF64_R_TYPE(table[t]->at[i].r_info)).got)
                return true;
    return false;
}

static enum code_memory read_object(const void *context, u64 address, u64 len, u8 *bytes)
{
    const struct look *look = context;
    const struct draft *draft = look->draft;
    const struct object *object = draft->object;
    u64 vaddr = address - object->bias;
    const u8 *at = view_at(&object->view, vaddr, len);
    if (!at)
        return CODE_NONE;
    memcpy(bytes, at, len);
    for (u32 i = 0; i < object->image.plan.seg_count; i++) {
        const struct segment *seg = &object->image.plan.seg[i];
        if (vaddr >= seg->vaddr && vaddr < seg->mem_end && (seg->prot & PF_X) && !(seg->prot & PF_W))
            return CODE_TEXT;
    }
    return is_sealed(draft, vaddr, len) && is_bound(look, vaddr) ? CODE_FIXED : CODE_CHANGES;
}

/* Adds what a function at the end of the object comes to; false: to more than may be left out. __dso_handle is known by holding its own
 * address: who gives __cxa_finalize that, tests a byte before and sets it behind, is __do_global_dtors_aux, and nobody else reads the byte. */
static bool add_function(const struct code_reader *reader, u64 function, u64 *dso_handle)
{
    struct code_outcome outcome;
    if (!arch_outcome(reader, function, &outcome))
        return false;
    if (!outcome.flag && !outcome.called)
        return true;
    if (!dso_handle || *dso_handle || !outcome.flag || outcome.called != init_finalizer() || !outcome.argument || outcome.argument != outcome.argument_at)
        return false;
    *dso_handle = outcome.argument;
    return true;
}

/* `dso_handle` NULL: nothing at all may be done. */
static bool functions_idle(const struct draft *draft, u64 single, const struct func_array *array, u64 *dso_handle)
{
    u64 entries = ENTRIES_MOST;
    const struct look look = { draft, &entries };
    const struct code_reader reader = { &look, read_object };
    const struct object *object = draft->object;
    if (single && !add_function(&reader, object->bias + single, dso_handle))
        return false;
    for (u64 i = 0; i < array->count; i++) {
        u64 function, at = array->vaddr + 8 * i;
        if (!is_sealed(draft, at, 8))
            return false;
        memcpy(&function, draft_bytes(draft, at), 8);
        if (function && function != ~0ull && !add_function(&reader, function, dso_handle))
            return false;
    }
    return true;
}

struct idle draft_idle(const struct draft *draft)
{
    const struct image *image = &draft->object->image;
    struct idle idle = { 0 };
    if (functions_idle(draft, image->init_vaddr, &image->init_array, NULL))
        idle.what |= IDLE_START;
    if (functions_idle(draft, image->fini_vaddr, &image->fini_array, &idle.dso_handle))
        idle.what |= IDLE_END;
    else
        idle.dso_handle = 0;
    return idle;
}
