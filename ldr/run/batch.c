/* batch.c - entries of a table one behind the other: relative ones by their own loop, symbolic ones through the index many at a time, the
 * commonest by a short way; what these leave is applied one by one (entry.c). */
#include "relocate.h"
#include "../arch/arch.h"

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

/* Entries up to the first that is not a plain symbol reference. */
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

void apply_range(struct walk *walk, const Elf64_Rela *r, const Elf64_Rela *end)
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
