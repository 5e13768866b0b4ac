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

/* Whether a symbol's relocation wrote the word, and so nobody else does: a variable behind RELRO may be written in between, by a program that
 * makes its page writable for so long. */
static bool is_bound(const struct draft *draft, u64 vaddr)
{
    const struct rela_table *table[] = { &draft->object->image.rela, &draft->object->image.plt };
    for (u32 t = 0; t < ARRAY_COUNT(table); t++)
        for (u64 i = 0; i < table[t]->count; i++)
            if (table[t]->at[i].r_offset == vaddr && arch_reloc_kind((u32)ELF64_R_TYPE(table[t]->at[i].r_info)).class == RELOC_SYMBOL)
                return true;
    return false;
}

static enum code_memory read_object(const void *context, u64 address, u64 len, u8 *bytes)
{
    const struct draft *draft = context;
    const struct object *object = draft->object;
    u64 vaddr = address - object->bias;
    const u8 *at = view_at(&object->view, vaddr, len);
    if (!at)
        return CODE_NONE;
    memcpy(bytes, at, len);
    for (u32 i = 0; i < object->image.plan.seg_count; i++) {
        const struct segment *seg = &object->image.plan.seg[i];
        if (vaddr >= seg->vaddr && vaddr < seg->mem_end && !(seg->prot & PF_W))
            return seg->prot & PF_X ? CODE_TEXT : CODE_FIXED;
    }
    return is_sealed(draft, vaddr, len) && is_bound(draft, vaddr) ? CODE_FIXED : CODE_CHANGES;
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
    const struct code_reader reader = { draft, read_object };
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
