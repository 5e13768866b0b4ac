/* tls_layout.c - where static TLS blocks lie (Drepper, "ELF Handling For Thread-Local Storage", variant II).
 *
 *      ... | block of module 2 | block of module 1 | TCB
 *                              ^ tp - offset(1)    ^ tp
 * (tp - offset) must equal p_vaddr modulo p_align, for the link editor computed offsets from the aligned end with that in mind. */
#include "link.h"

bool tls_place(struct tls_layout *layout, u64 memsz, u64 align, u64 vaddr, u64 *offset)
{
    u64 first = -vaddr & (align - 1);
    u64 end, up;
    if (!add_u64(layout->used, memsz, &end) || !add_u64(end, align, &up))
        return false;
    /* Smallest offset >= used + memsz that is congruent to `first`. */
    u64 placed = end <= first ? first : align_up(end - first, align) + first;
    *offset = placed;
    layout->used = placed;
    if (align > layout->align)
        layout->align = align;
    return true;
}

u64 tls_word(enum reloc_class class, const struct object *module, u64 at)
{
    switch (class) {
    case RELOC_TLS_MODULE: return module->tls_module;
    case RELOC_TLS_OFFSET: return at;
    default: return at - module->tls_offset;
    }
}
