/* lookup.c - which definition a reference binds to: the scopes of the referrer in order, the first answer wins (gABI "Shared Object
 * Dependencies"), with the two exceptions that need more than a walk: protected symbols and the caller's own skip rules. */
#include "link.h"

bool symbol_binds_locally(const Elf64_Sym *sym)
{
    u32 visibility = ELF64_ST_VISIBILITY(sym->st_other);
    return ELF64_ST_BIND(sym->st_info) == STB_LOCAL || visibility == STV_HIDDEN || visibility == STV_INTERNAL;
}

/* A reference to a symbol that the referrer defines too (vtables are full of them): does every object before the referrer in its first
 * scope, at most `reach` of them, plainly lack the name? Judged by their bloom filters with the 31 bits of the hash that the symbol's own
 * chain word holds, so neither the name nor a bucket, chain or index is read. False: not known. */
bool lookup_own_first(const struct object *referrer, u32 hash31, u32 reach)
{
    const struct scope *scope = referrer->scope_count ? referrer->scope[0] : NULL;
    for (u32 i = 0; scope && i < scope->count && i <= reach; i++) {
        const struct object *object = scope->object[i];
        if (object == referrer)
            return true;
        const struct gnu_hash *gnu = &object->image.gnu;
        if (!gnu->bucket || !gnu->bloom_shift)
            return false;
        u64 word = gnu->bloom[hash31 / 64 & gnu->bloom_mask];
        if (word >> (hash31 & 62) & 3 && word >> (hash31 >> gnu->bloom_shift & 63) & 1)
            return false;             /* bit 0 of the hash is not known: either bit counts */
    }
    return false;
}

bool scope_find(const struct scope *scope, u32 from, const struct symbol_want *want, const struct object *skip, struct binding *out)
{
    const bool watched = want->watch != NULL;
    bool weak = false;                /* a weak definition is kept while a strong one is looked for */
    for (u32 i = from; i < scope->count; i++) {
        struct object *object = scope->object[i];
        if (object == skip || ((want->classes & CLASS_COPY) && object->is_program))
            continue;
        if (UNLIKELY(watched))
            want->watch(want, object);
        const Elf64_Sym *sym = image_find_symbol(&object->image, want);
        if (!sym || (weak && ELF64_ST_BIND(sym->st_info) == STB_WEAK))
            continue;
        *out = (struct binding){ object, sym };
        if (!want->strong_first || ELF64_ST_BIND(sym->st_info) != STB_WEAK)
            return true;
        weak = true;
    }
    return weak;
}

static bool find_in_scopes(const struct object *referrer, const struct symbol_want *want, const struct object *skip,
                           const struct symbol_index *index, struct binding *out)
{
    struct symbol_want exact = { 0 };
    for (u32 i = 0; i < referrer->scope_count; i++) {
        const struct scope *scope = referrer->scope[i];
        if (index && index->scope == scope) {
            enum index_answer answer = index_find(index, want, skip, out);
            if (answer == INDEX_FOUND)
                return true;
            if (answer == INDEX_ABSENT)
                continue;
        }
        if (want->partial) {
            exact = symbol_want_exact(want);
            want = &exact;
        }
        if (scope_find(scope, 0, want, skip, out))
            return true;
    }
    return false;
}

bool lookup_reference(const struct object *referrer, const Elf64_Sym *reference, const struct symbol_want *want, const struct object *skip,
                      const struct symbol_index *index, struct binding *out)
{
    bool found = find_in_scopes(referrer, want, skip, index, out);
    if (LIKELY(!reference || ELF64_ST_VISIBILITY(reference->st_other) != STV_PROTECTED))
        return found;
    /* A protected definition binds to itself, unless the program holds the address everybody must agree on: its PLT entry (a function
     * whose address a non-PIC program took) or its copy of the variable. */
    struct object *self = (struct object *)referrer;
    if (!found || out->object == self)
        return found;
    if (want->classes & CLASS_PLT) {
        *out = (struct binding){ self, reference };
        return true;
    }
    struct symbol_want strict = *want;
    u32 type = ELF64_ST_TYPE(reference->st_info);
    strict.classes = (want->classes & CLASS_EXTERN_DATA) && type == STT_OBJECT ? CLASS_EXTERN_DATA : CLASS_PLT;
    struct binding second;
    if (find_in_scopes(referrer, &strict, skip, index, &second) && second.object != self)
        *out = (struct binding){ self, reference };
    return true;
}
