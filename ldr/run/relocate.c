/* relocate.c - one object's relocations, in the order that values depend on each other (gABI "Relocation", glibc's order rules):
 *   RELR and RELATIVE (need nothing) | symbolic, TLS, COPY | jump slots (at once or lazily) | IRELATIVE last: resolvers run the
 *   object's own code, which must be relocated by then.
 *
 * Relative entries have a loop of their own (relative.c); this is the rest. */
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

/* ---- everything else ------------------------------------------------------------------------------------------------- */

static int resolve(struct walk *walk, u32 symbol, u32 classes)
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

static int set_text_writable(struct object *object, bool writable);

/* The C library's own objects say so: they need its private version. */
static bool is_part_of_libc(const struct object *object)
{
    const struct image *image = &object->image;
    bool part = object->is_libc || object == session.linker;
    for (u32 i = 0; i < image->version_count && !part; i++)
        part = image->version[i].name && image->version[i].needed && str_equal(image->version[i].name, "GLIBC_PRIVATE");
    return part;
}

/* An indirect function's resolver is asked at the first call: its object may not be relocated yet, and it may look at more than the
 * processor. Only libc's, relocated before all others, are known to look at nothing else. */
static bool chooses_late(const struct binding *found)
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
        *at = module ? module->tls_module : 0;
        return 0;
    case RELOC_TLS_OFFSET:
        if (module)
            *at = symbol_value + addend;
        return 0;
    case RELOC_TLS_TPOFF:
        if (module) {
            int err = module->tls_offset ? 0 : tls_make_static(module);
            if (err)
                return err;
            *at = symbol_value + addend - module->tls_offset;
        }
        return 0;
    default: {
        u64 arg;
        if (!module) {
            at[1] = addend;
            at[0] = gate_for((u64)ldr_tlsdesc_undefined_weak);
        } else if (module->tls_offset || tls_try_static(module)) {
            at[1] = symbol_value + addend - module->tls_offset;
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
static int apply_one(struct walk *walk, const Elf64_Rela *r)
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

/* ---- symbolic entries through the index, in batches ------------------------------------------------------------------- */

/* One lookup waits for memory five times in a row: its symbol, its name, the slot, the candidate's symbol, the candidate's name, each
 * known only when the one before has come. With hundreds of objects all of them miss the caches (400 libraries: 80 % of the time).
 * So a batch takes each step for all its entries before the next step: the waits overlap. Then the ordinary code runs, warm. */
#define BATCH 32u

static u32 warm_batch(const struct walk *walk, const Elf64_Rela *r, u32 count, struct hashed_name *hashed)
{
    const struct image *image = &walk->object->image;
    const struct symbol_index *index = session.index;
    u32 ready = 0;
    for (; ready < count; ready++) {
        u64 symbol = ELF64_R_SYM(r[ready].r_info);
        if (arch_reloc_kind((u32)ELF64_R_TYPE(r[ready].r_info)).class != RELOC_SYMBOL || symbol == 0 || symbol >= image->sym_limit)
            break;
        __builtin_prefetch((void *)(walk->bias + r[ready].r_offset), 1);
        __builtin_prefetch(&image->symtab[symbol]);
        if (image->versym)
            __builtin_prefetch(&image->versym[symbol]);
    }
    for (u32 i = 0; i < ready; i++) {
        u64 symbol = ELF64_R_SYM(r[i].r_info);
        const Elf64_Sym *sym = &image->symtab[symbol];
        /* Entries of one symbol stand together: the first one's answer serves the others. */
        hashed[i].valid = sym->st_name < image->strtab_len && !symbol_binds_locally(sym) && (i == 0 || symbol != ELF64_R_SYM(r[i - 1].r_info));
        if (!hashed[i].valid)
            continue;
        if (sym->st_shndx == SHN_UNDEF)
            __builtin_prefetch(image->strtab + sym->st_name);
        else if (image->gnu.chain && symbol >= image->gnu.sym_offset)
            __builtin_prefetch(&image->gnu.chain[symbol - image->gnu.sym_offset]);
    }
    for (u32 i = 0; i < ready; i++)
        if (hashed[i].valid) {
            u32 symbol = (u32)ELF64_R_SYM(r[i].r_info);
            hashed[i] = reference_hash(image, symbol, image->strtab + image->symtab[symbol].st_name, true);
            index_warm_slot(index, hashed[i].gnu);
        }
    for (u32 i = 0; i < ready; i++)
        if (hashed[i].valid)
            index_warm_symbol(index, hashed[i].gnu);
    for (u32 i = 0; i < ready; i++)
        if (hashed[i].valid)
            index_warm_name(index, hashed[i].gnu);
    return ready;
}

/* The commonest entry by the shortest way: an 8-byte place, a default-visibility reference, an ordinary definition found at the first
 * look. False: nothing was done, the full rules apply. */
static bool apply_plain(struct walk *walk, const Elf64_Rela *r, const struct hashed_name *hashed)
{
    const struct image *image = &walk->object->image;
    u32 symbol = (u32)ELF64_R_SYM(r->r_info);
    const Elf64_Sym *sym = &image->symtab[symbol];
    struct binding found;
    if (walk->plain_symbol == symbol && r->r_offset - walk->lo <= walk->len - 8 && arch_reloc_kind((u32)ELF64_R_TYPE(r->r_info)).width == 8) {
        *(u64 *)(walk->bias + r->r_offset) = walk->plain_address + (u64)r->r_addend;
        return true;
    }
    if (!hashed->valid || r->r_offset - walk->lo > walk->len - 8 || sym->st_other != STV_DEFAULT || arch_reloc_kind((u32)ELF64_R_TYPE(r->r_info)).width != 8)
        return false;
    struct symbol_want want = { .name = image->strtab + sym->st_name, .len = hashed->len, .gnu = hashed->gnu, .partial = hashed->partial,
                                .version = reference_version(walk->object, symbol) };
    if (!index_find_plain(session.index, &want, &found) || found.object->is_linker || !found.object->at_start)
        return false;
    walk->plain_symbol = symbol;
    walk->plain_address = found.object->bias + found.symbol->st_value;
    *(u64 *)(walk->bias + r->r_offset) = walk->plain_address + (u64)r->r_addend;
    return true;
}

/* Entries up to the first that is not a plain symbol reference. */
/* An entry whose symbol this object defines and nobody before it in the scope: most of what a large C++ library has. */
static bool apply_own(struct walk *walk, const Elf64_Rela *r)
{
    const struct image *image = &walk->object->image;
    u32 symbol = (u32)ELF64_R_SYM(r->r_info), type = (u32)ELF64_R_TYPE(r->r_info);
    if ((type != R_X86_64_64 && type != R_X86_64_GLOB_DAT && type != R_X86_64_JUMP_SLOT) || r->r_offset - walk->lo > walk->len - 8 ||
        symbol >= image->sym_limit || symbol < image->gnu.sym_offset)
        return false;
    if (walk->plain_symbol != symbol || !symbol) {
        const Elf64_Sym *sym = &image->symtab[symbol];
        u32 kind = ELF64_ST_TYPE(sym->st_info), bind = ELF64_ST_BIND(sym->st_info);
        if (sym->st_shndx == SHN_UNDEF || sym->st_shndx == SHN_ABS || !sym->st_value || sym->st_other != STV_DEFAULT ||
            (kind != STT_OBJECT && kind != STT_FUNC) || (bind != STB_GLOBAL && bind != STB_WEAK) ||
            !lookup_own_first(walk->object, image->gnu.chain[symbol - image->gnu.sym_offset], walk->own_reach))
            return false;
        walk->plain_symbol = symbol;
        walk->plain_address = walk->bias + sym->st_value;
    }
    *(u64 *)(walk->bias + r->r_offset) = walk->plain_address + (u64)r->r_addend;
    return true;
}

static const Elf64_Rela *apply_batch(struct walk *walk, const Elf64_Rela *r, const Elf64_Rela *end, int *err)
{
    struct hashed_name hashed[BATCH];
    u32 count = warm_batch(walk, r, end - r < BATCH ? (u32)(end - r) : BATCH, hashed);
    /* Plain: this object searches the indexed scope first, by the ordinary rules. */
    const struct object *object = walk->object;
    bool plain = object->scope_count && object->scope[0] == session.index->scope;
    for (u32 i = 0; i < count && !*err; i++) {
        if ((walk->own_reach && apply_own(walk, r)) || (plain && apply_plain(walk, r, &hashed[i]))) {
            r++;
            continue;
        }
        walk->hashed = &hashed[i];
        *err = apply_one(walk, r++);
        if (*err == -LDR_E_SYMBOL && !session.started) {
            walk->worst = *err;       /* every missing symbol is told */
            *err = 0;
        }
    }
    walk->hashed = NULL;
    return r;
}

static void apply_range(struct walk *walk, const Elf64_Rela *r, const Elf64_Rela *end)
{
    while (r < end) {
        if (r->r_info == R_X86_64_RELATIVE) {
            const Elf64_Rela *done = apply_relative(walk, r, end);
            if (done != r) {
                r = done;
                continue;
            }
        }
        int err = 0;
        if (walk->own_reach && r->r_info != R_X86_64_RELATIVE && end - r > 16)
            __builtin_prefetch(&walk->object->image.symtab[ELF64_R_SYM(r[16].r_info)]);
        if (walk->own_reach && r->r_info != R_X86_64_RELATIVE && apply_own(walk, r)) {
            r++;
            continue;
        }
        if (session.index && r->r_info != R_X86_64_RELATIVE) {
            const Elf64_Rela *done = apply_batch(walk, r, end, &err);
            if (done != r && !err) {
                r = done;
                continue;
            }
        }
        if (!err)
            err = apply_one(walk, r++);
        /* At start-up every missing symbol is told; any other problem ends the walk. */
        if (err) {
            walk->worst = err;
            if (err != -LDR_E_SYMBOL || session.started)
                return;
        }
    }
}

/* With a record the symbolic entries are taken in slices: what a slice has stored is still in the processor's nearest cache when the
 * record copies it. Relative ones are not recorded, and stay in one piece for their runs of pages. */
static void apply_table(struct walk *walk, const struct rela_table *table, enum reloc_table which)
{
    const Elf64_Rela *end = table->at + table->count;
    u64 first = which == TABLE_RELA && walk->object->image.rela_relative < table->count ? walk->object->image.rela_relative : 0;
    if (!WATCHED(WATCH_RECORD)) {
        apply_range(walk, table->at, end);
        return;
    }
    apply_range(walk, table->at, table->at + first);
    while (first < table->count && (!walk->worst || walk->worst == -LDR_E_SYMBOL)) {
        u64 count = table->count - first < RECORD_SLICE ? table->count - first : RECORD_SLICE;
        apply_range(walk, table->at + first, table->at + first + count);
        if (walk->worst && session.started)
            return;
        event_values(walk->object, which, first, count);
        first += count;
    }
}

static void apply_rel(struct walk *walk, const struct rel_table *table)
{
    for (u64 i = 0; i < table->count && !walk->worst; i++) {
        const Elf64_Rel *rel = &table->at[i];
        /* REL keeps the addend at the place (not used by x86-64 link editors, but defined by the gABI). */
        if (!place_fits(walk, rel->r_offset, 8)) {
            walk->worst = bad_place(walk, rel->r_offset);
            return;
        }
        u32 width = arch_reloc_kind((u32)ELF64_R_TYPE(rel->r_info)).width;
        i64 addend = width == 4 ? *(int *)(walk->bias + rel->r_offset) : width ? *(i64 *)(walk->bias + rel->r_offset) : 0;
        Elf64_Rela r = { rel->r_offset, rel->r_info, addend };
        walk->worst = apply_one(walk, &r);
    }
}

static int apply_irelative(struct walk *walk, const struct rela_table *table)
{
    /* They stand together near the end of a table: from the back, stop when all are done. */
    u64 first = table->count;
    u64 left = walk->irelative;
    while (left && first > 0) {
        first--;
        if (ELF64_R_TYPE(table->at[first].r_info) == R_X86_64_IRELATIVE)
            left--;
    }
    walk->irelative = left;
    for (u64 i = first; i < table->count; i++) {
        const Elf64_Rela *r = &table->at[i];
        if (ELF64_R_TYPE(r->r_info) == R_X86_64_IRELATIVE)
            *(u64 *)(walk->bias + r->r_offset) = gate_for(((u64(*)(void))(walk->bias + (u64)r->r_addend))());
    }
    return 0;
}

/* Lazy jump slots: each holds the link-time address of its PLT entry's second half; only the bias is added. */
static int apply_lazy(struct walk *walk)
{
    const struct rela_table *table = &walk->object->image.plt;
    struct page_run run = { 0 };
    /* A slot in pages that RELRO will seal cannot be stored to at its first call: it is bound now. */
    const struct image *image = &walk->object->image;
    u64 sealed = align_down(image->relro_vaddr, LDR_PAGE), sealed_len = align_down(image->relro_vaddr + image->relro_len, LDR_PAGE) - sealed;
    for (u64 i = 0; i < table->count; i++) {
        u64 place = table->at[i].r_offset;
        if (ELF64_R_TYPE(table->at[i].r_info) == R_X86_64_JUMP_SLOT && place - walk->lo <= walk->len - 8)
            page_run_add(&run, walk->bias + place);
    }
    if (!walk->object->data_private)
        page_run_flush(&run);
    for (u64 i = 0; i < table->count && !walk->worst; i++) {
        const Elf64_Rela *r = &table->at[i];
        if (ELF64_R_TYPE(r->r_info) == R_X86_64_JUMP_SLOT && r->r_offset - walk->lo <= walk->len - 8 &&
            r->r_offset - sealed >= sealed_len) {
            *(u64 *)(walk->bias + r->r_offset) += walk->bias;
        } else {
            walk->worst = apply_one(walk, r);
        }
    }
    return walk->worst;
}

static void take_quietly(struct report *report, const struct problem *problem)
{
    (void)report;
    (void)problem;
}

/* Would the first call, whenever it comes, find the same? The global scope grows at its end and loses what is closed: what was found behind
 * it, in the scope of an opened object alone, may then be found there; what was found in it may be gone. */
static bool binding_is_final(const struct object *object, u32 symbol, const struct binding *found)
{
    if (found->object->at_start || (found->object == object && symbol_binds_locally(&object->image.symtab[symbol])))
        return true;
    bool needed = found->object == object;
    for (u32 i = 0; i < object->needed_count; i++)
        needed = needed || object->needed[i] == found->object;
    for (u32 i = 0; i < object->scope_count && needed; i++) {
        const struct scope *scope = object->scope[i];
        for (u32 k = 0; k < scope->count; k++)
            if (scope->object[k] == found->object)
                return true;
        if (scope == &session.global)
            return false;
    }
    return false;
}

/* A first call must find it as if nobody had looked: noted as used is only what is bound. */
static bool binds_at_first_call(struct walk *walk, u32 symbol)
{
    struct binding found;
    struct reference reference = { walk->object, symbol, CLASS_PLT, &session.report, NULL };
    if (!session.started)
        return resolve(walk, symbol, CLASS_PLT) != 0 || chooses_late(&walk->last);
    return find_reference(&reference, &found) != 0 || chooses_late(&found) || !binding_is_final(walk->object, symbol, &found);
}

/* Jump slots of an object whose image is being made: bound now, as their first calls would bind them, so that no process has to. One
 * without a definition stays lazy: calling it is the error, as ever, or a weak one is defined by what is opened later. */
static int apply_ahead(struct walk *walk)
{
    const struct rela_table *table = &walk->object->image.plt;
    struct report loud = session.report;
    for (u64 i = 0; i < table->count && !walk->worst; i++) {
        const Elf64_Rela *r = &table->at[i];
        u32 symbol = (u32)ELF64_R_SYM(r->r_info);
        bool slot = ELF64_R_TYPE(r->r_info) == R_X86_64_JUMP_SLOT && symbol && place_fits(walk, r->r_offset, 8);
        session.report = (struct report){ take_quietly };
        bool unbound = slot && binds_at_first_call(walk, symbol);
        session.report = loud;
        if (unbound) {
            *(u64 *)(walk->bias + r->r_offset) += walk->bias;
            walk->last_valid = false;
        } else {
            walk->worst = apply_one(walk, r);
        }
    }
    return walk->worst;
}

static int set_text_writable(struct object *object, bool writable)
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

int relocate_object(struct object *object, enum bind_when when)
{
    if (object->state >= OBJECT_RELOCATED)
        return 0;
    const struct image *image = &object->image;
    u64 since = event_clock();
    struct walk walk = { .object = object, .bias = object->bias, .lo = image->writable_lo,
                         .len = image->writable_hi > image->writable_lo ? image->writable_hi - image->writable_lo : 8 };
    if (image->writable_hi <= image->writable_lo)
        walk.lo = ~0ull - 64;         /* no writable segment: every place goes to the careful check */
    /* Only the program's first two libraries (measured: node's libstdc++ as second gains 15 %; farther back the index is as quick). */
    for (u32 i = 1; image->gnu.chain && object->scope_count && i < object->scope[0]->count && i <= 2 && !session.config.dynamic_weak && !WATCHED(WATCH_LOOKUPS); i++)
        if (object->scope[0]->object[i] == object)
            walk.own_reach = i;
    bool lazy = when == BIND_LAZY && !image->bind_now && image->pltgot_vaddr && image->plt.count &&
                view_at(&object->view, image->pltgot_vaddr, 24) && place_fits(&walk, image->pltgot_vaddr, 24);
    event_relocating(object, when == BIND_LAZY && !image->bind_now);
    if (image->textrel) {
        int err = set_text_writable(object, true);
        if (err)
            return err;
        walk.text_open = true;
    }
    walk.worst = image->relr.count ? apply_relr(&walk) : 0;
    if (!walk.worst)
        apply_table(&walk, &image->rela, TABLE_RELA);
    bool go_on = !walk.worst || (walk.worst == -LDR_E_SYMBOL && !session.started);
    if (go_on && image->rel.count)
        apply_rel(&walk, &image->rel);
    if (go_on && lazy) {
        int worst = walk.worst;
        walk.worst = 0;
        if (binds_ahead(object))
            apply_ahead(&walk);
        else
            apply_lazy(&walk);
        if (!walk.worst)
            walk.worst = worst;
        bind_set_up(object, image->pltgot_vaddr);
    } else if (go_on) {
        apply_table(&walk, &image->plt, TABLE_PLT);
    }
    if (walk.text_open) {
        int err = set_text_writable(object, false);
        walk.worst = walk.worst ? walk.worst : err;
    }
    if (!walk.worst && walk.irelative) {
        /* Resolvers may be called by later references to this object too: it counts as relocated from here on. */
        object->state = OBJECT_RELOCATED;
        if (object == session.linker)
            shim_before_linker_runs();
        object->chose_itself |= !is_part_of_libc(object);
        apply_irelative(&walk, &image->plt);
        apply_irelative(&walk, &image->rela);
    }
    if (!walk.worst) {
        object->state = OBJECT_RELOCATED;
        event_relocated(object, lazy, since);
    }
    return walk.worst;
}

/* ---- the index while start-up relocates ------------------------------------------------------------------------------ */

static COLD_DATA struct symbol_index start_index;
static COLD_DATA struct arena index_arena;

void relocate_prepare(const struct scope *scope, bool bind_now)
{
    u64 references = 0;
    for (u32 i = 0; i < scope->count; i++) {
        const struct image *image = &scope->object[i]->image;
        if (scope->object[i]->state >= OBJECT_RELOCATED)
            continue;                 /* from an image of the cache */
        references += image->rela.count - image->rela_relative;
        if (bind_now || image->bind_now || session.bind_ahead)
            references += image->plt.count;
    }
    if (session.config.dynamic_weak || WATCHED(WATCH_LOOKUPS) || !index_worthwhile(scope, references))
        return;
    index_arena = (struct arena){ .more = scratch_more, .zeroed = true };
    if (index_build(&start_index, scope, &index_arena))
        session.index = &start_index;
    else
        scratch_free(&index_arena);
}

void relocate_done(void)
{
    if (!session.index)
        return;                       /* the arena lies on a page that was never touched */
    session.index = NULL;
    scratch_free(&index_arena);
}
