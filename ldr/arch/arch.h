/* arch.h - what a machine supplies. Pure: numbers to meanings; the walk over relocations exists once, in run/relocate.c. */
#ifndef LDR_ARCH_H
#define LDR_ARCH_H

#include "../base/base.h"

/* Relocation classes: what must be known to compute the value. Letters of the psABI: S symbol, A addend, P place, B load bias, Z size. */
enum reloc_class {
    RELOC_UNKNOWN,                    /* 0: what the table does not name */
    RELOC_NONE,
    RELOC_RELATIVE,                   /* B + A */
    RELOC_SYMBOL,                     /* S + A */
    RELOC_PC,                         /* S + A - P */
    RELOC_SIZE,                       /* Z + A */
    RELOC_COPY,
    RELOC_IRELATIVE,                  /* result of calling B + A */
    RELOC_TLS_MODULE,
    RELOC_TLS_OFFSET,                 /* S + A within the module's block */
    RELOC_TLS_TPOFF,                  /* S + A - distance of the block below the thread pointer */
    RELOC_TLS_DESC
};
struct reloc_kind {
    u8 class;                         /* enum reloc_class */
    u8 width;                         /* bytes stored; 0: none or special */
    bool is_signed;                   /* a narrow value must survive sign extension, else zero extension */
    bool function_only;               /* undefined program entries (canonical PLT) do not answer: CLASS_PLT */
    bool data_address;                /* CLASS_EXTERN_DATA */
    bool got;                         /* the place is a word of the GOT: made by the link editor, and no variable of the program */
};
/* Indexed by relocation type; a table of bytes, so it is shared read-only memory. */
#define ARCH_RELOC_TYPES 43u
extern const struct reloc_kind arch_reloc_kinds[ARCH_RELOC_TYPES];
static inline struct reloc_kind arch_reloc_kind(u32 type)
{
    return type < ARCH_RELOC_TYPES ? arch_reloc_kinds[type] : (struct reloc_kind){ .class = RELOC_UNKNOWN };
}
const char *arch_reloc_name(u32 type);                 /* "R_X86_64_64"; NULL when unknown */

/* arch_once_flag - where the byte is that a function tests first and sets, to do its work once: the destructor of every compiler's start files.
 *   in      code     ARCH_ONCE_BYTES of the function, which stand at `address`
 *   returns the byte's address, which may be anywhere; 0: it does not begin so, or does not set it soon */
#define ARCH_ONCE_BYTES 64u
u64 arch_once_flag(const u8 *code, u64 address);

/* arch_outcome - what a function comes to that calls nobody but its own object's functions and one other.
 *   in      reader     the bytes of its object by address, and of which kind of memory all of them are
 *           function   its address
 *   out     out        everything that calling it would do
 *   returns false: it does something else, or its instructions are not those of a compiler's start files */
enum code_memory { CODE_NONE /* not the object's */, CODE_TEXT /* instructions, never written */, CODE_FIXED /* holds what it holds for good */, CODE_CHANGES };
struct code_reader { const void *context; enum code_memory (*read)(const void *context, u64 address, u64 len, u8 *bytes); };
struct code_outcome {
    u64 flag;                         /* the byte that it finds 0 before it does anything, and sets to 1; 0: none */
    u64 called;                       /* the function elsewhere that it calls; 0: none */
    u64 argument;                     /* its first argument */
    u64 argument_at;                  /* the word in memory that changes from which that was read; 0: it was not */
};
bool arch_outcome(const struct code_reader *reader, u64 function, struct code_outcome *out);

u32 arch_cpu_level(void);                              /* x86-64-vN of this CPU, 1..4 (psABI "micro-architecture levels") */

#endif
