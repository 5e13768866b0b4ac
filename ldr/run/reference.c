/* reference.c - one reference of an object to its symbol table entry: the definition it binds to, that definition's address, and what
 * must be remembered so that it stays loaded. Used while relocating and at the first call of a lazily bound function. */
#include "run.h"
#include "../compat/shim.h"
#include "../debug/events.h"

void object_note_binding(struct object *from, struct object *to)
{
    if (to == from || to->at_start)
        return;
    for (u32 i = 0; i < from->needed_count; i++)
        if (from->needed[i] == to)
            return;
    for (u32 i = 0; i < from->bound_count; i++)
        if (from->bound_to[i] == to)
            return;
    shim_lock_load();
    if (from->at_start && !to->no_delete) {
        /* An object that stays for ever now uses this one. */
        to->no_delete = true;
        to->no_delete_why = "an object loaded at start-up bound to it";
    } else if (from->bound_count == from->bound_room) {
        u32 room = from->bound_room ? from->bound_room * 2 : 8;
        struct object **list = heap_alloc(room * sizeof *list);
        if (list) {
            /* The old list stays: graph walks of another thread may stand in it, and lists are few and short. */
            memcpy(list, from->bound_to, from->bound_count * sizeof *list);
            from->bound_to = list;
            from->bound_room = room;
        }
    }
    if (from->bound_count < from->bound_room)
        from->bound_to[from->bound_count++] = to;
    shim_unlock_load();
}

int find_reference(const struct reference *reference, struct binding *out)
{
    struct symbol_want want = { 0 };
    int got = reference_find(reference, &session.config, session.index, WATCHED(WATCH_SYMBOLS) ? events_lookup_watch() : NULL, &want, out);
    if (LIKELY(got != REFERENCE_UNDEFINED)) {
        /* A unique one is known only when settled; one that binds to its own object asked for nothing. */
        if (got == 0 && want.name && ELF64_ST_BIND(out->symbol->st_info) != STB_GNU_UNIQUE)
            event_bound(reference, &want, out);
        return got;
    }
    struct problem problem = { .code = LDR_E_SYMBOL, .object = object_label(reference->object), .name = want.name,
                               .wanted_by = want.version ? want.version->name : NULL };
    return report_problem(reference->report, &problem);
}

bool binding_needs_settling(const struct reference *reference, const struct binding *found)
{
    return ELF64_ST_BIND(found->symbol->st_info) == STB_GNU_UNIQUE || (found->object != reference->object && !found->object->at_start);
}

int settle_binding(const struct reference *reference, struct binding *found)
{
    struct object *object = reference->object;
    if (ELF64_ST_BIND(found->symbol->st_info) == STB_GNU_UNIQUE) {
        /* A copy relocation moves the unique object into the program. */
        struct binding mine = reference->classes & CLASS_COPY ? (struct binding){ object, &object->image.symtab[reference->symbol] } : *found;
        struct binding theirs;
        if (!unique_binding(&mine, &theirs))
            return report_values(reference->report, LDR_E_NO_MEMORY, object->image.path, 0, 0, 0);
        if (!(reference->classes & CLASS_COPY))
            *found = theirs;
        object->bound_unique = true;
        event_bound(reference, NULL, &theirs);
    }
    object_note_binding(object, found->object);
    return 0;
}

u64 binding_address(const struct binding *binding)
{
    const Elf64_Sym *sym = binding->symbol;
    if (UNLIKELY(binding->object->is_linker)) {
        u64 ours = shim_override(binding);
        if (ours)
            return gate_for(ours);
    }
    u64 address = (sym->st_shndx == SHN_ABS ? 0 : binding->object->bias) + sym->st_value;
    if (UNLIKELY(ELF64_ST_TYPE(sym->st_info) == STT_GNU_IFUNC && sym->st_shndx != SHN_UNDEF))
        address = gate_for(((u64(*)(void))address)());         /* time and gettimeofday are the vDSO's */
    return address;
}
