/* relocate.c - one object's relocations, in the order that values depend on each other (gABI "Relocation", glibc's order rules):
 *   RELR and RELATIVE (need nothing) | symbolic, TLS, COPY | jump slots (at once or lazily) | IRELATIVE last: resolvers run the
 *   object's own code, which must be relocated by then.
 *
 * How a table is gone through is batch.c's, what one entry means entry.c's. */
#include "relocate.h"
#include "../arch/arch.h"
#include "../compat/shim.h"
#include "../debug/events.h"

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
