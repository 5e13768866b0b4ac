/* index.c - one hash table over all definitions of a scope.
 *
 * The system's linker asks every object of the scope in turn for every name: with 400 libraries and 80,000 references that is 16
 * million bloom filters. Here each definition is entered once, from the words of the GNU hash chains alone: no name and no symbol
 * is touched while building. Chain words lack bit 0 of the hash, so the key is the 31 bits above it.
 *
 *   slot (64 bits):  | check: 24 bits of the mixed key | object: 16 | symbol: 24 |   0 = empty
 *
 * Open addressing with linear probing and no deletion keeps entries of one key in the order entered, which is scope order, so the
 * first answering candidate is the scope's first. A key that many objects define (inline functions, or a hostile file) is kept
 * KEEP_EQUAL times; a lookup that gets past those asks for the ordinary walk instead. */
#include "link.h"

#define OBJECT_MAX 0xfffeu
#define SYMBOL_MAX 0xffffffu
#define KEEP_EQUAL 8u
#define PROBE_MAX 512u

static u64 mix(u32 hash31)
{
    return (u64)hash31 * 0x9e3779b97f4a7c15ull;
}

static u64 slot_of(u64 mixed, u32 bits) { return mixed >> (64 - bits); }
static u64 check_of(u64 mixed) { return mixed & 0xffffff0000ull; }        /* low bits of the product: 24 of them, shifted below */

/* Counting reads every bucket: once for each object. */
static u64 symbols_of(struct object *object)
{
    if (!object->symbol_count)
        object->symbol_count = (u32)image_symbol_count(&object->image);
    return object->symbol_count;
}

bool index_worthwhile(const struct scope *scope, u64 references)
{
    if (scope->count < 3 || references < 1000)
        return false;
    u64 definitions = 0;
    for (u32 i = 0; i < scope->count; i++)
        definitions += symbols_of(scope->object[i]);
    /* A walk costs about 8 ns an object, half the scope on average; a definition about 25 ns: entering it, and its share of the pages
     * that table and chains touch. Measured on the bench's stubs: worth it for clang, gdb, cmake and perf, not for node. */
    return references * scope->count * 4 > definitions * 25;
}

static bool enter(struct symbol_index *index, u32 hash31, u32 object, u32 symbol)
{
    u64 mixed = mix(hash31), check = check_of(mixed) << 24;
    u64 mask = (1ull << index->slot_bits) - 1, at = slot_of(mixed, index->slot_bits);
    u32 equal = 0;
    for (u32 probes = 0; probes < PROBE_MAX; probes++, at = (at + 1) & mask) {
        u64 slot = index->slot[at];
        if (!slot) {
            index->slot[at] = check | (u64)(object + 1) << 24 | symbol;
            return true;
        }
        if ((slot ^ check) >> 40 == 0 && ++equal == KEEP_EQUAL) {
            index->crowded++;
            return true;
        }
    }
    return false;
}

static bool enter_object(struct symbol_index *index, struct object *object, u32 number)
{
    const struct image *image = &object->image;
    const struct gnu_hash *gnu = &image->gnu;
    if (gnu->bucket) {
        u64 count = symbols_of(object);
        for (u64 i = gnu->sym_offset; i < count; i++) {
            u64 ahead = i + 16 < count ? i + 16 : i;
            __builtin_prefetch(&index->slot[slot_of(mix(gnu->chain[ahead - gnu->sym_offset] >> 1), index->slot_bits)], 1);
            if (!enter(index, gnu->chain[i - gnu->sym_offset] >> 1, number, (u32)i))
                return false;
        }
        return true;
    }
    for (u32 i = 1; i < image->sysv.chain_count; i++) {
        const Elf64_Sym *sym = &image->symtab[i];
        const char *name = image_string(image, sym->st_name);
        if (name && (sym->st_shndx != SHN_UNDEF || sym->st_value) && !enter(index, gnu_hash_of(name) >> 1, number, i))
            return false;
    }
    return true;
}

bool index_build(struct symbol_index *index, const struct scope *scope, struct arena *arena)
{
    u64 count = 0;
    if (scope->count > OBJECT_MAX)
        return false;
    for (u32 i = 0; i < scope->count; i++) {
        u64 symbols = symbols_of(scope->object[i]);
        if (symbols > SYMBOL_MAX)
            return false;
        count += symbols;
    }
    u32 bits = 10;
    while ((1ull << bits) < count + count / 2 && bits < 30)
        bits++;
    /* The slots first: they are what the huge page is for. */
    u64 *slot = arena_zalloc(arena, sizeof *slot << bits);
    struct index_tables *tables = arena_alloc(arena, scope->count * sizeof *tables);
    if (!slot || !tables)
        return false;
    for (u32 i = 0; i < scope->count; i++) {
        const struct image *image = &scope->object[i]->image;
        tables[i] = (struct index_tables){ scope->object[i], image->symtab, image->strtab, image->strtab_len, image->versym };
    }
    *index = (struct symbol_index){ .scope = scope, .tables = tables, .slot = slot, .slot_bits = bits };
    for (u32 i = 0; i < scope->count; i++)
        if (!enter_object(index, scope->object[i], i))
            return false;
    return true;
}

static u64 first_slot(const struct symbol_index *index, u32 gnu)
{
    return slot_of(mix(gnu >> 1), index->slot_bits);
}

void index_warm_slot(const struct symbol_index *index, u32 gnu)
{
    __builtin_prefetch(&index->slot[first_slot(index, gnu)]);
}

/* The first entry of the probe is nearly always the one: half of the table is empty. */
void index_warm_symbol(const struct symbol_index *index, u32 gnu)
{
    u64 slot = index->slot[first_slot(index, gnu)];
    if (!slot)
        return;
    const struct index_tables *tables = &index->tables[(slot >> 24 & 0xffff) - 1];
    __builtin_prefetch(&tables->symtab[slot & SYMBOL_MAX]);
    if (tables->versym)
        __builtin_prefetch(&tables->versym[slot & SYMBOL_MAX]);
}

/* 1 the answer, 0 another name of the same key (names that differ in bit 0 of the hash do share it), -1 not an ordinary definition. */
static int judge_plain(const struct index_tables *tables, u32 symbol, const struct symbol_want *want)
{
    const Elf64_Sym *sym = &tables->symtab[symbol];
    if (sym->st_name >= tables->strtab_len)
        return -1;
    const char *have = tables->strtab + sym->st_name;
    if (have != want->name) {
        if (want->partial ? !str_equal(have, want->name) : (u64)sym->st_name + want->len >= tables->strtab_len)
            return want->partial ? 0 : -1;
        if (!want->partial && memcmp(have, want->name, (u64)want->len + 1) != 0)
            return 0;
    }
    u32 type = ELF64_ST_TYPE(sym->st_info), bind = ELF64_ST_BIND(sym->st_info);
    if (sym->st_shndx == SHN_UNDEF || sym->st_shndx == SHN_ABS || !sym->st_value || (type != STT_OBJECT && type != STT_FUNC) ||
        (bind != STB_GLOBAL && bind != STB_WEAK) || ELF64_ST_VISIBILITY(sym->st_other) != STV_DEFAULT)
        return -1;
    /* An unversioned reference and an unversioned or first-version definition: no more to ask (image/symbol.c, version_answers). Any other
     * pair is judged there. */
    if (tables->versym && (want->version || (tables->versym[symbol] & 0x7fff) >= 3) &&
        image_symbol_answers(&tables->object->image, symbol, want) != SYMBOL_ANSWERS)
        return -1;
    return 1;
}

bool index_find_plain(const struct symbol_index *index, const struct symbol_want *want, struct binding *out)
{
    u64 mixed = mix(want->gnu >> 1), check = check_of(mixed) << 24, mask = (1ull << index->slot_bits) - 1, slot;
    u32 equal = 0;
    for (u64 at = slot_of(mixed, index->slot_bits); (slot = index->slot[at]) != 0; at = (at + 1) & mask) {
        if ((slot ^ check) >> 40 != 0)
            continue;
        const struct index_tables *tables = &index->tables[(slot >> 24 & 0xffff) - 1];
        int judged = judge_plain(tables, (u32)(slot & SYMBOL_MAX), want);
        if (judged > 0)
            *out = (struct binding){ tables->object, &tables->symtab[slot & SYMBOL_MAX] };
        if (judged != 0)
            return judged > 0;
        if (++equal == KEEP_EQUAL)
            return false;
    }
    return false;
}

void index_warm_name(const struct symbol_index *index, u32 gnu)
{
    u64 slot = index->slot[first_slot(index, gnu)];
    if (!slot)
        return;
    const struct index_tables *tables = &index->tables[(slot >> 24 & 0xffff) - 1];
    __builtin_prefetch(tables->strtab + tables->symtab[slot & SYMBOL_MAX].st_name);
}

enum index_answer index_find(const struct symbol_index *index, const struct symbol_want *want, const struct object *skip, struct binding *out)
{
    u64 mixed = mix(want->gnu >> 1), check = check_of(mixed) << 24;
    u64 mask = (1ull << index->slot_bits) - 1, at = slot_of(mixed, index->slot_bits);
    const struct object *passed = NULL;
    u32 equal = 0;
    for (;; at = (at + 1) & mask) {
        u64 slot = index->slot[at];
        if (!slot)
            return INDEX_ABSENT;
        if ((slot ^ check) >> 40 != 0)
            continue;
        struct object *object = index->scope->object[(slot >> 24 & 0xffff) - 1];
        bool last_kept = ++equal == KEEP_EQUAL;
        if (object != passed && object != skip && !((want->classes & CLASS_COPY) && object->is_program)) {
            u32 symbol = (u32)(slot & SYMBOL_MAX);
            enum symbol_verdict answer = image_symbol_answers(&object->image, symbol, want);
            const Elf64_Sym *sym = answer == SYMBOL_ANSWERS ? &object->image.symtab[symbol] : NULL;
            if (answer == SYMBOL_ANSWERS_ALONE || (answer == SYMBOL_ANSWERS && !object->image.gnu.bucket)) {
                /* Only if no other version of the name is default: the object's own lookup knows. It also knows which of two certain
                 * answers a SysV chain meets first; they were entered here by number. */
                struct symbol_want exact = symbol_want_exact(want);
                sym = image_find_symbol(&object->image, &exact);
                passed = object;
            }
            if (sym) {
                *out = (struct binding){ object, sym };
                return INDEX_FOUND;
            }
        }
        if (last_kept)
            return INDEX_WALK;
    }
}
