/* entry.c - one relocation entry: its place, what its symbol stands for, what is stored there. The order of entries is relocate.c's. */
#include "relocate.h"
#include "../arch/arch.h"
#include "../compat/shim.h"
#include "../debug/events.h"

/* ---- places ---------------------------------------------------------------------------------------------------------- */

bool place_fits_segment(const struct walk *walk, u64 place, u64 width)
{
    return plan_place_fits(&walk->object->image.plan, place, width, walk->text_open);
}

int bad_place(const struct walk *walk, u64 place)
{
    bool in_text = place >= walk->object->image.plan.lo_page && place < walk->object->image.plan.hi_page;
    return report_values(&session.report, in_text ? LDR_E_TEXTREL : LDR_E_RELOC_PLACE, walk->object->image.path, place, walk->lo,
                         walk->lo + walk->len);
}

static int store(const struct walk *walk, u64 place, u64 value, const struct reloc_kind *kind, const char *name)
{
    void *at = (void *)(walk->bias + place);
    if (kind->width == 8) {
        *(u64 *)at = value;
        return 0;
    }
    *(u32 *)at = (u32)value;
    if (kind->is_signed ? (u64)(i64)(int)(u32)value == value : (u64)(u32)value == value)
        return 0;
    struct problem problem = { .code = LDR_E_RELOC_OVERFLOW, .object = object_label(walk->object), .name = name, .found = value,
                               .expected = kind->width, .place = place, .has_values = true };
    return report_problem(&session.report, &problem);
}

int set_text_writable(struct object *object, bool writable)
{
    const struct plan *plan = &object->image.plan;
    for (u32 i = 0; i < plan->seg_count; i++) {
        const struct segment *seg = &plan->seg[i];
        if (seg->prot & PF_W)
            continue;
        int prot = writable ? PROT_READ | PROT_WRITE : (seg->prot & PF_R ? PROT_READ : 0) | (seg->prot & PF_X ? PROT_EXEC : 0);
        u64 start = align_down(seg->vaddr, LDR_PAGE);
        int err = sys_mprotect((void *)(object->bias + start), align_up(seg->mem_end, LDR_PAGE) - start, prot);
        if (err)
            return report_errno(&session.report, LDR_E_PROTECT, object->image.path, -err);
    }
    return 0;
}

/* ---- what a symbol stands for ---------------------------------------------------------------------------------------- */

int resolve(struct walk *walk, u32 symbol, u32 classes)
{
    if (walk->last_valid && walk->last_symbol == symbol && walk->last_classes == classes)
        return walk->last_found ? 0 : 1;
    struct reference reference = { walk->object, symbol, classes, &session.report, walk->hashed };
    int got = find_reference(&reference, &walk->last);
    if (got == 0)
        got = settle_binding(&reference, &walk->last);
    walk->last_valid = got >= 0;
    walk->last_symbol = symbol;
    walk->last_classes = classes;
    walk->last_found = got == 0;
    walk->last_address_known = false;
    return got;
}

/* The C library's own objects say so: they need its private version. */
bool is_part_of_libc(const struct object *object)
{
    const struct image *image = &object->image;
    bool part = object->is_libc || object == session.linker;
    for (u32 i = 0; i < image->version_count && !part; i++)
        part = image->version[i].name && image->version[i].needed && str_equal(image->version[i].name, "GLIBC_PRIVATE");
    return part;
}

/* An indirect function's resolver is asked at the first call: its object may not be relocated yet, and it may look at more than the
 * processor. Only libc's, relocated before all others, are known to look at nothing else. */
bool chooses_late(const struct binding *found)
{
    return ELF64_ST_TYPE(found->symbol->st_info) == STT_GNU_IFUNC && found->symbol->st_shndx != SHN_UNDEF && !found->object->is_libc;
}

static u64 resolved_address(struct walk *walk)
{
    if (!walk->last_found)
        return 0;
    if (!walk->last_address_known) {
        /* A resolver of the object's own must find its code executable, which text relocation has taken away for the while. */
        bool own_resolver = walk->text_open && walk->last.object == walk->object && ELF64_ST_TYPE(walk->last.symbol->st_info) == STT_GNU_IFUNC;
        if (own_resolver)
            set_text_writable(walk->object, false);
        walk->last_address = binding_address(&walk->last);
        walk->last_address_known = true;
        walk->object->chose_itself |= chooses_late(&walk->last) && !is_part_of_libc(walk->last.object);
        if (own_resolver)
            set_text_writable(walk->object, true);
    }
    return walk->last_address;
}

static const char *symbol_name(const struct walk *walk, u32 symbol)
{
    const char *name = symbol ? image_string(&walk->object->image, walk->object->image.symtab[symbol].st_name) : NULL;
    return name ? name : "";
}

/* An object may say that its protected data must not be copied (it addresses it directly). */
static int check_copyable(const struct walk *walk, u32 symbol)
{
    const struct object *owner = walk->last.object;
    if (ELF64_ST_VISIBILITY(walk->last.symbol->st_other) != STV_PROTECTED)
        return 0;
    char buf[1024];
    struct text t = text_on(buf, sizeof buf);
    text_put(&t, "warning: copy relocation against non-copyable protected symbol `");
    text_put(&t, symbol_name(walk, symbol));
    text_put(&t, "' in `");
    text_put(&t, owner->path);
    text_put(&t, "'\n");
    start_warning(buf, t.len);
    if (!(image_property(&owner->image, &owner->view, PROPERTY_1_NEEDED) & PROPERTY_1_INDIRECT_EXTERN_ACCESS))
        return 0;
    struct problem problem = { .code = LDR_E_NOT_COPYABLE, .object = owner->path, .name = symbol_name(walk, symbol) };
    return report_problem(&session.report, &problem);
}

static int apply_copy(struct walk *walk, u64 place, u32 symbol)
{
    int err = walk->last_found ? check_copyable(walk, symbol) : 0;
    if (!walk->last_found || err)
        return err;
    const struct image *mine = &walk->object->image;
    const Elf64_Sym *to = &mine->symtab[symbol], *from = walk->last.symbol;
    u64 len = to->st_size < from->st_size ? to->st_size : from->st_size;
    const void *source = view_at(&walk->last.object->view, from->st_value, len);
    if (!source || !place_fits(walk, place, len))
        return report_values(&session.report, LDR_E_RELOC_SIZE, mine->path, len, to->st_size, place);
    memcpy((void *)(walk->bias + place), source, len);
    event_stored(walk->object, symbol, &walk->last, place, len, R_X86_64_COPY);
    if (from->st_size > to->st_size || (from->st_size < to->st_size && session.config.verbose)) {
        char buf[1024];
        struct text t = text_on(buf, sizeof buf);
        text_put(&t, object_label(walk->object));
        text_put(&t, ": Symbol `");
        text_put(&t, symbol_name(walk, symbol));
        text_put(&t, "' has different size in shared object, consider re-linking\n");
        start_warning(buf, t.len);
    }
    return 0;
}

u64 ldr_tlsdesc_static(void *), ldr_tlsdesc_dynamic(void *), ldr_tlsdesc_undefined_weak(void *);

static int apply_tls(struct walk *walk, const struct reloc_kind *kind, u64 place, u64 addend, struct object *module, u64 symbol_value)
{
    u64 *at = (u64 *)(walk->bias + place);
    switch (kind->class) {
    case RELOC_TLS_MODULE:
        *at = module ? tls_word(kind->class, module, 0) : 0;
        return 0;
    case RELOC_TLS_OFFSET:
        if (module)
            *at = tls_word(kind->class, module, symbol_value + addend);
        return 0;
    case RELOC_TLS_TPOFF:
        if (module) {
            int err = module->tls_offset ? 0 : tls_make_static(module);
            if (err)
                return err;
            *at = tls_word(kind->class, module, symbol_value + addend);
        }
        return 0;
    default: {
        u64 arg;
        if (!module) {
            at[1] = addend;
            at[0] = gate_for((u64)ldr_tlsdesc_undefined_weak);
        } else if (module->tls_offset || tls_try_static(module)) {
            at[1] = tls_word(kind->class, module, symbol_value + addend);
            at[0] = gate_for((u64)ldr_tlsdesc_static);
        } else {
            struct tls_index *index = arena_alloc(walk->object->arena, sizeof *index);
            if (!index)
                return report_values(&session.report, LDR_E_NO_MEMORY, walk->object->image.path, sizeof *index, 0, place);
            *index = (struct tls_index){ module->tls_module, symbol_value + addend };
            arg = (u64)index;
            at[1] = arg;
            at[0] = (u64)ldr_tlsdesc_dynamic;
        }
        return 0;
    }
    }
}

static int unknown_type(const struct walk *walk, const Elf64_Rela *r)
{
    return report_values(&session.report, LDR_E_RELOC_TYPE, object_label(walk->object), ELF64_R_TYPE(r->r_info), R_X86_64_RELATIVE64, r->r_offset);
}

/* One entry that is not relative. */
int apply_one(struct walk *walk, const Elf64_Rela *r)
{
    u32 symbol = (u32)ELF64_R_SYM(r->r_info);
    struct reloc_kind kind = arch_reloc_kind((u32)ELF64_R_TYPE(r->r_info));
    u64 place = r->r_offset, addend = (u64)r->r_addend;
    if (kind.class == RELOC_NONE)
        return 0;
    if (kind.class == RELOC_UNKNOWN)
        return unknown_type(walk, r);
    if (UNLIKELY(!place_fits(walk, place, kind.width ? kind.width : 1)))
        return bad_place(walk, place);
    if (kind.class == RELOC_IRELATIVE) {
        walk->irelative++;
        return 0;
    }
    if (kind.class == RELOC_RELATIVE) {
        *(u64 *)(walk->bias + place) = walk->bias + addend;
        return 0;
    }
    if (symbol) {
        int got = resolve(walk, symbol, reference_classes(kind));
        if (got < 0)
            return got;
    } else {
        walk->last_valid = false;
        walk->last_found = false;
    }
    const Elf64_Sym *found = symbol && walk->last_found ? walk->last.symbol : NULL;
    switch (kind.class) {
    case RELOC_SYMBOL:
        return store(walk, place, (symbol ? resolved_address(walk) : 0) + addend, &kind, symbol_name(walk, symbol));
    case RELOC_PC:
        return store(walk, place, (symbol ? resolved_address(walk) : 0) + addend - (walk->bias + place), &kind, symbol_name(walk, symbol));
    case RELOC_SIZE:
        return store(walk, place, (found ? found->st_size : 0) + addend, &kind, symbol_name(walk, symbol));
    case RELOC_COPY:
        return apply_copy(walk, place, symbol);
    default: {
        struct object *module = symbol ? (found ? walk->last.object : NULL) : walk->object;
        if (module && !module->tls_module)
            module = NULL;
        int err = apply_tls(walk, &kind, place, addend, module, found ? found->st_value : 0);
        event_stored(walk->object, symbol, found ? &walk->last : NULL, place, module ? module->tls_module : 0, (u32)ELF64_R_TYPE(r->r_info));
        return err;
    }
    }
}
