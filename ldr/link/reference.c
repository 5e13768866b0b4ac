/* reference.c - from a relocation to the definition it binds to: what kind of answer its type allows, which name and version its symbol
 * asks for, and the walk over the scopes (lookup.c). Effects of a binding (unique symbols, staying loaded) are run/reference.c's. */
#include "link.h"

u32 reference_classes(struct reloc_kind kind)
{
    return (kind.function_only ? CLASS_PLT : 0) | (kind.class == RELOC_COPY ? CLASS_COPY : 0) | (kind.data_address ? CLASS_EXTERN_DATA : 0);
}

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

struct hashed_name reference_hash(const struct image *image, u32 symbol, const char *name, bool for_index)
{
    struct hashed_name hashed = { .valid = true };
    if (for_index && image->gnu.chain && image->symtab[symbol].st_shndx != SHN_UNDEF && symbol >= image->gnu.sym_offset) {
        /* Defined here too: its chain word is its hash but for bit 0, and the index needs no more. */
        hashed.gnu = image->gnu.chain[symbol - image->gnu.sym_offset];
        hashed.partial = true;
    } else {
        hashed.gnu = gnu_hash_len(name, &hashed.len);
    }
    return hashed;
}

/* Its code will be called while linking: what lies elsewhere is another object's, or nobody's. */
static bool resolver_is_code(const struct binding *found)
{
    const struct plan *plan = &found->object->image.plan;
    for (u32 i = 0; i < plan->seg_count; i++)
        if ((plan->seg[i].prot & PF_X) && found->symbol->st_value >= plan->seg[i].vaddr && found->symbol->st_value < plan->seg[i].file_end)
            return true;
    return false;
}

static int judge_resolver(const struct reference *reference, const struct binding *found)
{
    if (LIKELY(ELF64_ST_TYPE(found->symbol->st_info) != STT_GNU_IFUNC) || found->symbol->st_shndx == SHN_UNDEF || resolver_is_code(found))
        return 0;
    return report_values(reference->report, LDR_E_RESOLVER, found->object->image.path, found->symbol->st_value, 0, 0);
}

int reference_find(const struct reference *reference, const struct config *config, const struct symbol_index *index,
                   void (*watch)(const struct symbol_want *want, const struct object *object), struct symbol_want *want, struct binding *out)
{
    struct object *object = reference->object;
    const struct image *image = &object->image;
    if (reference->symbol >= image->sym_limit)
        return report_values(reference->report, LDR_E_RELOC_SYMBOL, image->path, reference->symbol, image->sym_limit, 0);
    const Elf64_Sym *sym = &image->symtab[reference->symbol];
    if (symbol_binds_locally(sym)) {
        *out = (struct binding){ object, sym };
        return judge_resolver(reference, out);
    }
    *want = (struct symbol_want){ .name = image_string(image, sym->st_name), .version = reference_version(object, reference->symbol),
                                  .classes = reference->classes, .strong_first = config->dynamic_weak, .watch = watch };
    if (!want->name)
        return report_values(reference->report, LDR_E_STRING, image->path, sym->st_name, image->strtab_len, DT_SYMTAB);
    struct hashed_name hashed = reference->hashed && reference->hashed->valid ? *reference->hashed
                                : reference_hash(image, reference->symbol, want->name, index != NULL);
    want->gnu = hashed.gnu;
    want->len = hashed.len;
    want->partial = hashed.partial;
    if (lookup_reference(object, sym, want, NULL, index, out))
        return judge_resolver(reference, out);
    *out = (struct binding){ 0 };
    return ELF64_ST_BIND(sym->st_info) == STB_WEAK ? REFERENCE_WEAK : REFERENCE_UNDEFINED;
}
