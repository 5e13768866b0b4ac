/* elfgen.h - small ELF images built in memory, one field of which a row of a table then breaks.
 *
 *   0x0000  R    ELF header, 8 program headers, symbols, strings, hash tables, versions, relocations, notes
 *   0x5000  RX   code, 0x100 bytes
 *   0x6000  RW   .dynamic, constructor arrays, TLS image, data; file to 0x6800, memory to 0x6a00
 * Addresses equal file offsets. Program headers: see enum gen_phdr. */
#ifndef ELFGEN_H
#define ELFGEN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../ldr/link/link.h"

enum gen_phdr { GEN_LOAD_R, GEN_LOAD_RX, GEN_LOAD_RW, GEN_DYNAMIC, GEN_TLS, GEN_RELRO, GEN_STACK, GEN_NOTE, GEN_PHNUM };

#define GEN_TABLES 0x5000u            /* end of the read-only segment: the tables must fit before */
#define GEN_CODE 0x5000u
#define GEN_CODE_LEN 0x100u
#define GEN_RW 0x6000u
#define GEN_ARRAYS 0x6300u            /* init, fini, preinit: two words each */
#define GEN_TLS_AT 0x6400u
#define GEN_DATA 0x6500u
#define GEN_FILE_END 0x6800u
#define GEN_MEM_END 0x6a00u

enum gen_part {                       /* where tables lie, for rows that break them */
    GEN_EHDR, GEN_PHDRS, GEN_SYMTAB, GEN_STRTAB, GEN_GNU, GEN_SYSV, GEN_VERSYM, GEN_VERDEF, GEN_VERNEED, GEN_RELA, GEN_JMPREL, GEN_REL,
    GEN_RELR, GEN_NOTES, GEN_DYN, GEN_PARTS
};

struct gen_symbol {
    const char *name, *version;       /* version NULL: none (or the base version where others have one) */
    u64 value, size;                  /* value 0 and not GEN_UNDEF: 0x5000 + 16 * number */
    u8 bind, type, visibility;        /* 0: STB_GLOBAL; 0: STT_FUNC */
    bool undefined, hidden, absolute;
};
struct gen_options {
    const struct gen_symbol *symbol;
    u32 symbol_count;
    bool no_gnu, sysv, no_versions, rel, relr;
    const char *soname, *rpath, *runpath, *needed;
    u32 buckets;                      /* of both hash tables; 0: 3 */
};
struct elf {
    u8 bytes[GEN_FILE_END] __attribute__((aligned(4096)));
    u8 memory[GEN_MEM_END + 0x600] __attribute__((aligned(4096)));      /* as mapped, made by elf_read */
    u64 len;
    u32 at[GEN_PARTS];                /* offset of each part; 0: absent (but for the ELF header) */
    u32 symbol_count, first_hashed, strtab_len;
    u32 number[256];                  /* place in the symbol table of options.symbol[i] */
};
void elf_make(struct elf *elf, const struct gen_options *options);
Elf64_Ehdr *elf_header(struct elf *elf);
Elf64_Phdr *elf_phdr(struct elf *elf, enum gen_phdr which);
u64 *elf_dyn(struct elf *elf, i64 tag);                /* its value; fails the test when absent */
Elf64_Dyn *elf_dyn_entry(struct elf *elf, i64 tag);

/* reading: what the linker does before and after mapping; stops at the first problem, which is kept */
struct reading {
    int code;                         /* 0 or LDR_E_* as returned */
    struct problem problem;           /* as reported; code 0: none */
    u32 problems;
    struct object object;             /* image, view, arena */
    struct arena arena;
    Elf64_Phdr phdr[64];
};
extern struct report test_report;     /* keeps the last problem in test_problem */
extern struct problem test_problem;
extern u32 test_problems;
int elf_read(struct elf *elf, struct reading *reading, enum view_rule rule);
void reading_free(struct reading *reading);

/* arenas for tests: plain heap chunks; `short_arena` has room for nothing */
void test_arena(struct arena *arena);
void test_arena_free(struct arena *arena);
struct arena short_arena(void);

/* run_rows - one cmocka test for each row of a table; the row is the test's state. */
#define ROWS(table, function) rows_add((table), sizeof (table)[0], ARRAY_COUNT(table), offsetof(__typeof__((table)[0]), name), (function))
void rows_add(const void *table, size_t size, size_t count, size_t name_at, void (*function)(void **));
#define TEST(function) test_add(#function, function)
void test_add(const char *name, void (*function)(void **));
int tests_run(const char *group);     /* also notes which error codes were met, for the check that none is left out */
#endif
