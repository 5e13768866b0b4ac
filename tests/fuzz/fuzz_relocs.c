/* Relocation tables and constructor arrays: every entry that the tables claim is there to be read, and means something or nothing. */
#include "fuzz.h"

#include "../../ldr/arch/arch.h"

static void judge(struct subject *subject)
{
    struct image *image = &subject->object.image;
    const struct view *view = &subject->object.view;
    if (image_read_dynamic(image, view, &fuzz_report))
        return;
    MUST(image->rela_relative <= image->rela.count);
    const struct rela_table *tables[] = { &image->rela, &image->plt };
    u64 classes = 0;
    for (u32 t = 0; t < 2; t++)
        for (u64 i = 0; i < tables[t]->count; i++) {
            const Elf64_Rela *r = &tables[t]->at[i];
            struct reloc_kind kind = arch_reloc_kind((u32)ELF64_R_TYPE(r->r_info));
            MUST(kind.class <= RELOC_TLS_DESC && kind.width <= 16);
            MUST(kind.class == RELOC_UNKNOWN || arch_reloc_name((u32)ELF64_R_TYPE(r->r_info)) != NULL);
            classes |= 1ull << kind.class;
            if (ELF64_R_SYM(r->r_info) < image->sym_limit)
                symbol_binds_locally(&image->symtab[ELF64_R_SYM(r->r_info)]);
        }
    touch(&classes, sizeof classes);
    touch(image->rel.at, image->rel.count * sizeof *image->rel.at);
    touch(image->relr.at, image->relr.count * sizeof *image->relr.at);
    const struct func_array *arrays[] = { &image->init_array, &image->fini_array, &image->preinit_array };
    for (u32 i = 0; i < 3; i++)
        if (arrays[i]->vaddr) {
            const void *at = view_at(view, arrays[i]->vaddr, arrays[i]->count * 8);
            MUST(at != NULL);
            touch(at, arrays[i]->count * 8);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    each_subject(data, size, judge);
    return 0;
}
