/* reference.c - one reference of an object to its symbol table entry: the definition it binds to, that definition's address, and what
 * must be remembered so that it stays loaded. Used while relocating and at the first call of a lazily bound function. */
#include "run.h"
#include "../compat/shim.h"
#include "../debug/events.h"

const struct version *reference_version(const struct object *object, u32 symbol)
{
    const struct image *image = &object->image;
    if (!image->versym)
        return NULL;
    u32 number = image->versym[symbol] & 0x7fff;
    if (number >= image->version_count || !image->version[number].name)
        return NULL;
    return &image->version[number];
}

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

struct hashed_name reference_hash(const struct image *image, u32 symbol, const char *name)
{
    struct hashed_name hashed = { .valid = true };
    if (session.index && image->gnu.chain && image->symtab[symbol].st_shndx != SHN_UNDEF && symbol >= image->gnu.sym_offset) {
        /* Defined here too: its chain word is its hash but for bit 0, and the index needs no more. */
        hashed.gnu = image->gnu.chain[symbol - image->gnu.sym_offset];
        hashed.partial = true;
    } else {
        hashed.gnu = gnu_hash_len(name, &hashed.len);
    }
    return hashed;
}

int find_reference(const struct reference *reference, struct binding *out)
{
    struct object *object = reference->object;
    const struct image *image = &object->image;
    if (reference->symbol >= image->sym_limit)
        return report_values(reference->report, LDR_E_RELOC_SYMBOL, image->path, reference->symbol, image->sym_limit, 0);
    const Elf64_Sym *sym = &image->symtab[reference->symbol];
    if (symbol_binds_locally(sym)) {
        *out = (struct binding){ object, sym };
        return 0;
    }
    struct symbol_want want = { .name = image_string(image, sym->st_name), .version = reference_version(object, reference->symbol),
                                .classes = reference->classes, .strong_first = session.config.dynamic_weak,
                                .watch = WATCHED(WATCH_SYMBOLS) ? events_lookup_watch() : NULL };
    if (!want.name)
        return report_values(reference->report, LDR_E_STRING, image->path, sym->st_name, image->strtab_len, DT_SYMTAB);
    struct hashed_name hashed = reference->hashed && reference->hashed->valid ? *reference->hashed : reference_hash(image, reference->symbol, want.name);
    want.gnu = hashed.gnu;
    want.len = hashed.len;
    want.partial = hashed.partial;
    const struct object *skip = NULL;
    if (!lookup_reference(object, sym, &want, skip, session.index, out)) {
        *out = (struct binding){ 0 };
        if (ELF64_ST_BIND(sym->st_info) == STB_WEAK)
            return 1;
        struct problem problem = { .code = LDR_E_SYMBOL, .object = object_label(object), .name = want.name,
                                   .wanted_by = want.version ? want.version->name : NULL };
        return report_problem(reference->report, &problem);
    }
    if (ELF64_ST_BIND(out->symbol->st_info) != STB_GNU_UNIQUE)        /* that one is known only when settled */
        event_bound(reference, &want, out);
    return 0;
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
