/* symbol.c - finding a symbol in one object through its GNU or SysV hash table, and judging a candidate.
 *
 * GNU hash (binutils; described at https://sourceware.org/legacy-ml/binutils/2006-10/msg00377.html): a bloom filter of 64-bit words in which two
 * bits are set for each name, then buckets holding the first symbol of a run, then one word for each symbol from sym_offset on: the
 * symbol's hash with bit 0 replaced by "last of the run". Most lookups end at the bloom filter: two bit tests.
 *
 * Every index met is compared with sym_limit, every chain walk ends at it, so a malformed table costs a wrong answer to the file's
 * own symbols at worst, never a read outside the segment. */
#include "image.h"

u32 gnu_hash_len(const char *name, u32 *len)
{
    u32 h = 5381;
    const u8 *at = (const u8 *)name;
    /* Four characters a step: the products of the characters do not wait for the hash so far, so a step costs one multiplication of
     * latency instead of four. */
    while (at[0]) {
        if (!at[1]) {
            h = h * 33 + at[0];
            at += 1;
            break;
        }
        if (!at[2]) {
            h = h * (33 * 33) + at[0] * 33u + at[1];
            at += 2;
            break;
        }
        if (!at[3]) {
            h = h * (33 * 33 * 33) + at[0] * (33u * 33) + at[1] * 33u + at[2];
            at += 3;
            break;
        }
        h = h * (33u * 33 * 33 * 33) + at[0] * (33u * 33 * 33) + at[1] * (33u * 33) + at[2] * 33u + at[3];
        at += 4;
    }
    *len = (u32)(at - (const u8 *)name);
    return h;
}

u32 gnu_hash_of(const char *name)
{
    u32 len;
    return gnu_hash_len(name, &len);
}

u32 sysv_hash_of(const char *name)
{
    u32 h = 0;
    for (const u8 *at = (const u8 *)name; *at; at++) {
        h = (h << 4) + *at;
        h ^= h >> 24 & 0xf0;
    }
    return h & 0x0fffffff;
}

u64 image_symbol_count(const struct image *image)
{
    if (image->sysv.bucket)           /* DT_VERSYM may have lowered the limit since */
        return image->sysv.chain_count < image->sym_limit ? image->sysv.chain_count : image->sym_limit;
    const struct gnu_hash *gnu = &image->gnu;
    if (!gnu->bucket)
        return 0;
    u32 last = 0;
    for (u32 i = 0; i < gnu->bucket_count; i++)
        if (gnu->bucket[i] > last)
            last = gnu->bucket[i];
    if (last < gnu->sym_offset)
        return gnu->sym_offset < image->sym_limit ? gnu->sym_offset : image->sym_limit;
    while (last < image->sym_limit && !(gnu->chain[last - gnu->sym_offset] & 1))
        last++;
    return last < image->sym_limit ? (u64)last + 1 : image->sym_limit;
}

#define TYPES_ANSWERING (1u << STT_NOTYPE | 1u << STT_OBJECT | 1u << STT_FUNC | 1u << STT_COMMON | 1u << STT_TLS | 1u << STT_GNU_IFUNC)

/* The version rules for a symbol already found to have the name. */
static enum symbol_verdict version_answers(const struct image *image, u32 index, const struct symbol_want *want)
{
    if (!image->versym)
        return SYMBOL_ANSWERS;        /* unversioned object: answers any reference */
    u16 raw = image->versym[index];
    u32 number = raw & 0x7fff;
    const struct version *asked = want->version;
    if (asked) {
        const struct version *have = number < image->version_count ? &image->version[number] : NULL;
        /* Needed versions count too: the program's canonical PLT entry for puts carries the version the program needs of it. */
        if (have && have->name) {
            if (have->hash == asked->hash && (have->name == asked->name || str_equal(have->name, asked->name)))
                return SYMBOL_ANSWERS;
            return SYMBOL_REFUSED_VERSION;
        }
        /* A definition without a version answers a versioned reference unless that insists or the definition is hidden. */
        return !asked->hidden && !(raw & 0x8000) ? SYMBOL_ANSWERS : SYMBOL_REFUSED_UNVERSIONED;
    }
    /* Unversioned reference: the base or first version always answers (that is what the reference was linked against), later ones only
     * when default, and then only if no other default carries the name. */
    if (number < (want->newest ? 2u : 3u))
        return SYMBOL_ANSWERS;
    return raw & 0x8000 ? SYMBOL_REFUSED_NOT_DEFAULT : SYMBOL_ANSWERS_ALONE;
}

enum symbol_verdict image_symbol_answers(const struct image *image, u32 index, const struct symbol_want *want)
{
    if (index >= image->sym_limit)
        return SYMBOL_OTHER_NAME;
    const Elf64_Sym *sym = &image->symtab[index];
    u32 type = ELF64_ST_TYPE(sym->st_info);
    if (sym->st_shndx == SHN_UNDEF) {
        /* Undefined with a value: the program's PLT entry, which is the function's address for everybody. */
        if (sym->st_value == 0 || (want->classes & CLASS_PLT))
            return SYMBOL_REFUSED_UNDEFINED;
    } else if (sym->st_value == 0 && sym->st_shndx != SHN_ABS && type != STT_TLS) {
        return SYMBOL_REFUSED_NO_VALUE;
    }
    if (!(TYPES_ANSWERING >> type & 1))
        return SYMBOL_REFUSED_TYPE;
    if (type == STT_TLS && !image->tls_memsz && sym->st_shndx != SHN_UNDEF)
        return SYMBOL_REFUSED_NO_TLS;
    u32 visibility = ELF64_ST_VISIBILITY(sym->st_other);
    if (visibility == STV_HIDDEN || visibility == STV_INTERNAL)
        return SYMBOL_REFUSED_VISIBILITY;
    u32 bind = ELF64_ST_BIND(sym->st_info);
    if (bind != STB_GLOBAL && bind != STB_WEAK && bind != STB_GNU_UNIQUE)
        return SYMBOL_REFUSED_BINDING;
    if (sym->st_name >= image->strtab_len)
        return SYMBOL_OTHER_NAME;
    const char *have = image->strtab + sym->st_name;
    if (have != want->name) {
        /* The table ends with 0, so comparing up to a 0 stays inside it. */
        if (want->partial ? !str_equal(have, want->name)
                          : (u64)sym->st_name + want->len >= image->strtab_len || memcmp(have, want->name, (size_t)want->len + 1) != 0)
            return SYMBOL_OTHER_NAME;
    }
    return version_answers(image, index, want);
}

/* Collects answers of one object: a certain one ends the walk, versioned ones wait to be the only one. */
struct answers {
    const Elf64_Sym *symbol;
    u32 waiting;
};

static bool take_candidate(const struct image *image, u32 index, const struct symbol_want *want, struct answers *answers)
{
    switch (image_symbol_answers(image, index, want)) {
    case SYMBOL_ANSWERS:
        answers->symbol = &image->symtab[index];
        answers->waiting = 1;
        return true;
    case SYMBOL_ANSWERS_ALONE:
        if (answers->waiting++ == 0)
            answers->symbol = &image->symtab[index];
        break;
    default:
        break;
    }
    return false;
}

static void find_gnu(const struct image *image, const struct symbol_want *want, struct answers *answers)
{
    const struct gnu_hash *gnu = &image->gnu;
    u32 h = want->gnu;
    u64 word = gnu->bloom[h / 64 & gnu->bloom_mask];
    if (LIKELY(!(word >> (h & 63) & word >> ((u64)h >> gnu->bloom_shift & 63) & 1)))
        return;
    u64 index = gnu->bucket[h % gnu->bucket_count];
    if (index < gnu->sym_offset || index == 0)
        return;
    for (; index < image->sym_limit; index++) {
        u32 word32 = gnu->chain[index - gnu->sym_offset];
        if (((word32 ^ h) >> 1) == 0 && take_candidate(image, (u32)index, want, answers))
            return;
        if (word32 & 1)
            return;
    }
}

static void find_sysv(const struct image *image, const struct symbol_want *want, struct answers *answers)
{
    const struct sysv_hash *sysv = &image->sysv;
    u32 index = sysv->bucket[sysv_hash_of(want->name) % sysv->bucket_count];
    /* `steps` bounds a chain that loops. */
    for (u32 steps = 0; index != STN_UNDEF && index < sysv->chain_count && steps < sysv->chain_count; steps++) {
        if (take_candidate(image, index, want, answers))
            return;
        index = sysv->chain[index];
    }
}

const Elf64_Sym *image_find_symbol(const struct image *image, const struct symbol_want *want)
{
    struct answers answers = { 0 };
    if (LIKELY(image->gnu.bucket))
        find_gnu(image, want, &answers);
    else if (image->sysv.bucket)
        find_sysv(image, want, &answers);
    return answers.waiting == 1 ? answers.symbol : NULL;
}
