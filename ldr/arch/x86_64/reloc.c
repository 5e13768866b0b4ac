/* reloc.c - x86-64 relocation types (psABI table 4.10) as classes. */
#include <elf.h>

#include "../arch.h"

#ifndef R_X86_64_RELATIVE64
#define R_X86_64_RELATIVE64 38
#endif

const struct reloc_kind arch_reloc_kinds[ARCH_RELOC_TYPES] = {
    [R_X86_64_NONE] = { .class = RELOC_NONE },
    [R_X86_64_64] = { .class = RELOC_SYMBOL, .width = 8 },
    [R_X86_64_GLOB_DAT] = { .class = RELOC_SYMBOL, .width = 8, .data_address = true, .got = true },
    [R_X86_64_JUMP_SLOT] = { .class = RELOC_SYMBOL, .width = 8, .function_only = true, .got = true },
    [R_X86_64_32] = { .class = RELOC_SYMBOL, .width = 4 },
    [R_X86_64_PC32] = { .class = RELOC_PC, .width = 4, .is_signed = true },
    [R_X86_64_PC64] = { .class = RELOC_PC, .width = 8 },
    [R_X86_64_RELATIVE] = { .class = RELOC_RELATIVE, .width = 8 },
    [R_X86_64_RELATIVE64] = { .class = RELOC_RELATIVE, .width = 8 },
    [R_X86_64_SIZE32] = { .class = RELOC_SIZE, .width = 4 },
    [R_X86_64_SIZE64] = { .class = RELOC_SIZE, .width = 8 },
    [R_X86_64_COPY] = { .class = RELOC_COPY },
    [R_X86_64_IRELATIVE] = { .class = RELOC_IRELATIVE, .width = 8 },
    [R_X86_64_DTPMOD64] = { .class = RELOC_TLS_MODULE, .width = 8, .function_only = true },
    [R_X86_64_DTPOFF64] = { .class = RELOC_TLS_OFFSET, .width = 8, .function_only = true },
    [R_X86_64_TPOFF64] = { .class = RELOC_TLS_TPOFF, .width = 8, .function_only = true },
    [R_X86_64_TLSDESC] = { .class = RELOC_TLS_DESC, .width = 16, .function_only = true },
};

const char *arch_reloc_name(u32 type)
{
    switch (type) {
#define NAME(t) case t: return #t
    NAME(R_X86_64_NONE); NAME(R_X86_64_64); NAME(R_X86_64_PC32); NAME(R_X86_64_GOT32); NAME(R_X86_64_PLT32); NAME(R_X86_64_COPY);
    NAME(R_X86_64_GLOB_DAT); NAME(R_X86_64_JUMP_SLOT); NAME(R_X86_64_RELATIVE); NAME(R_X86_64_GOTPCREL); NAME(R_X86_64_32);
    NAME(R_X86_64_32S); NAME(R_X86_64_16); NAME(R_X86_64_PC16); NAME(R_X86_64_8); NAME(R_X86_64_PC8); NAME(R_X86_64_DTPMOD64);
    NAME(R_X86_64_DTPOFF64); NAME(R_X86_64_TPOFF64); NAME(R_X86_64_TLSGD); NAME(R_X86_64_TLSLD); NAME(R_X86_64_DTPOFF32);
    NAME(R_X86_64_GOTTPOFF); NAME(R_X86_64_TPOFF32); NAME(R_X86_64_PC64); NAME(R_X86_64_GOTOFF64); NAME(R_X86_64_GOTPC32);
    NAME(R_X86_64_SIZE32); NAME(R_X86_64_SIZE64); NAME(R_X86_64_TLSDESC_CALL); NAME(R_X86_64_TLSDESC); NAME(R_X86_64_IRELATIVE);
    NAME(R_X86_64_RELATIVE64);
#undef NAME
    default: return NULL;
    }
}
