/* reloc.c - x86-64 relocation types (psABI table 4.10) as classes. */
#include <elf.h>

#include "../arch.h"

#ifndef R_X86_64_RELATIVE64
#define R_X86_64_RELATIVE64 38
#endif

struct reloc_kind arch_reloc_kind(u32 type)
{
    switch (type) {
    case R_X86_64_NONE: return (struct reloc_kind){ .class = RELOC_NONE };
    case R_X86_64_64: return (struct reloc_kind){ .class = RELOC_SYMBOL, .width = 8 };
    case R_X86_64_GLOB_DAT: return (struct reloc_kind){ .class = RELOC_SYMBOL, .width = 8, .data_address = true };
    case R_X86_64_JUMP_SLOT: return (struct reloc_kind){ .class = RELOC_SYMBOL, .width = 8, .function_only = true };
    case R_X86_64_32: return (struct reloc_kind){ .class = RELOC_SYMBOL, .width = 4 };
    case R_X86_64_PC32: return (struct reloc_kind){ .class = RELOC_PC, .width = 4, .is_signed = true };
    case R_X86_64_PC64: return (struct reloc_kind){ .class = RELOC_PC, .width = 8 };
    case R_X86_64_RELATIVE:
    case R_X86_64_RELATIVE64: return (struct reloc_kind){ .class = RELOC_RELATIVE, .width = 8 };
    case R_X86_64_SIZE32: return (struct reloc_kind){ .class = RELOC_SIZE, .width = 4 };
    case R_X86_64_SIZE64: return (struct reloc_kind){ .class = RELOC_SIZE, .width = 8 };
    case R_X86_64_COPY: return (struct reloc_kind){ .class = RELOC_COPY };
    case R_X86_64_IRELATIVE: return (struct reloc_kind){ .class = RELOC_IRELATIVE, .width = 8 };
    case R_X86_64_DTPMOD64: return (struct reloc_kind){ .class = RELOC_TLS_MODULE, .width = 8, .function_only = true };
    case R_X86_64_DTPOFF64: return (struct reloc_kind){ .class = RELOC_TLS_OFFSET, .width = 8, .function_only = true };
    case R_X86_64_TPOFF64: return (struct reloc_kind){ .class = RELOC_TLS_TPOFF, .width = 8, .function_only = true };
    case R_X86_64_TLSDESC: return (struct reloc_kind){ .class = RELOC_TLS_DESC, .width = 16, .function_only = true };
    default: return (struct reloc_kind){ .class = RELOC_UNKNOWN };
    }
}

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
