/* bind.c - lazy binding: the GOT words a PLT needs, and the binding of one slot at its first call (psABI "Procedure Linkage Table").
 *
 * GOT[0] .dynamic (link editor), GOT[1] our object (with a gate: where it is mapped), GOT[2] the trampoline. Two threads may bind the same slot at once: both compute the
 * same value and store it with one 8-byte store. */
#include "run.h"
#include "../compat/shim.h"
#include "../debug/events.h"
#include "../api/message.h"

void ldr_bind_xsavec(void), ldr_bind_xsave(void), ldr_bind_fxsave(void);

/* Read by the trampolines here and in tls.S. Not initialised data: that would be a private page in every process. */
u64 ldr_vector_size;
u8 ldr_vector_legacy, ldr_vector_compact;

void bind_learn_vector_state(void)
{
    u64 size = shim_xsave_size();
    ldr_vector_legacy = size == 0;
    ldr_vector_size = size ? align_up(size + 64, 64) : 512;
    ldr_vector_compact = size && shim_xsavec();
}

u64 bind_trampoline(void)
{
    if (!ldr_vector_size)
        bind_learn_vector_state();
    return ldr_vector_legacy ? (u64)ldr_bind_fxsave : ldr_vector_compact ? (u64)ldr_bind_xsavec : (u64)ldr_bind_xsave;
}

void bind_set_up(struct object *object, u64 pltgot)
{
    u64 *got = (u64 *)(object->bias + pltgot);
    /* In an image both words must be the same in every process. Elsewhere debuggers know the trampoline by its place in our text. */
    got[1] = binds_ahead(object) ? object->map_start : (u64)object;
    got[2] = binds_ahead(object) ? gate_for(bind_trampoline()) : bind_trampoline();
}

static struct object *object_of_word(u64 word)
{
    struct found_range copy;
    const struct found_range *found = session.gate ? find_range(word, &copy) : NULL;
    return found && found->object && found->object->map_start == word ? found->object : (struct object *)word;
}

u64 bind_slot(u64 word, u64 index)
{
    struct object *object = object_of_word(word);
    const struct rela_table *plt = &object->image.plt;
    if (index >= plt->count)
        message_die_lookup(object, "PLT entry asks for a relocation that does not exist");
    const Elf64_Rela *r = &plt->at[index];
    u64 since = event_clock();
    struct report fatal = message_fatal_lookup_report();
    struct reference reference = { object, (u32)ELF64_R_SYM(r->r_info), CLASS_PLT, &fatal, NULL };
    struct binding found;
    int got;
    bool settle;
    do {
        u64 unloads = __atomic_load_n(&session.subs, __ATOMIC_ACQUIRE);
        u32 outer = tls_lookup_enter();
        got = find_reference(&reference, &found);
        settle = got == 0 && binding_needs_settling(&reference, &found);
        tls_lookup_leave(outer);
        if (!settle)
            break;
        /* The lock only outside the lookup: dlclose holds it while it waits for lookups to end. What was found may be gone by then. */
        shim_lock_load();
        settle = unloads != session.subs;
        if (!settle)
            got = settle_binding(&reference, &found);
        shim_unlock_load();
    } while (settle);
    u64 value = got == 0 ? binding_address(&found) + (u64)r->r_addend : 0;
    if (!session.config.bind_not)
        __atomic_store_n((u64 *)(object->bias + r->r_offset), value, __ATOMIC_RELAXED);
    event_lazy(object, index, got == 0 ? &found : NULL, value, since);
    return value;
}
