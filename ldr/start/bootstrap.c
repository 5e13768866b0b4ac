/* bootstrap.c - runs before our own relocations are applied: no global with an address in it may be used, nothing may be called
 * through a pointer. Built without stack protector: there is no thread pointer yet.
 *
 * The one permitted repetition of a relocation walk: RELATIVE and RELR only, which is all that tests/freestanding.sh lets into ld-ldr.so. */
#include <elf.h>

#include "start.h"

extern const Elf64_Dyn _DYNAMIC[] __attribute__((visibility("hidden")));
extern const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden")));

void bootstrap_relocate(void)
{
    u64 base = (u64)&__ehdr_start;
    const Elf64_Rela *rela = NULL;
    const u64 *relr = NULL;
    u64 rela_len = 0, relr_len = 0;
    for (const Elf64_Dyn *dyn = _DYNAMIC; dyn->d_tag != DT_NULL; dyn++) {
        if (dyn->d_tag == DT_RELA)
            rela = (const Elf64_Rela *)(base + dyn->d_un.d_ptr);
        else if (dyn->d_tag == DT_RELASZ)
            rela_len = dyn->d_un.d_val;
        else if (dyn->d_tag == DT_RELR)
            relr = (const u64 *)(base + dyn->d_un.d_ptr);
        else if (dyn->d_tag == DT_RELRSZ)
            relr_len = dyn->d_un.d_val;
    }
    for (u64 i = 0; i < rela_len / sizeof *rela; i++)
        if (ELF64_R_TYPE(rela[i].r_info) == R_X86_64_RELATIVE)
            *(u64 *)(base + rela[i].r_offset) = base + (u64)rela[i].r_addend;
    u64 *at = NULL;
    for (u64 i = 0; i < relr_len / 8; i++) {
        if (!(relr[i] & 1)) {
            at = (u64 *)(base + relr[i]);
            *at++ += base;
        } else {
            for (u64 bits = relr[i] >> 1, k = 0; bits; bits >>= 1, k++)
                if (bits & 1)
                    at[k] += base;
            at += 63;
        }
    }
}

/* ld-ldr.so has no RELRO to seal: it is linked so that nothing in its file's writable pages is ever written (tests/freestanding.sh checks). */
void bootstrap_describe(struct found_range *range, u64 *eh_frame_hdr)
{
    u64 base = (u64)&__ehdr_start;
    const Elf64_Phdr *phdr = (const Elf64_Phdr *)(base + __ehdr_start.e_phoff);
    range->start = base;
    for (u16 i = 0; i < __ehdr_start.e_phnum; i++) {
        if (phdr[i].p_type == PT_LOAD)
            range->end = align_up(base + phdr[i].p_vaddr + phdr[i].p_memsz, LDR_PAGE);
        if (phdr[i].p_type == PT_GNU_EH_FRAME)
            *eh_frame_hdr = base + phdr[i].p_vaddr;
    }
}
