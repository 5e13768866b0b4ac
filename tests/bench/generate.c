/* generate.c - sources of the generated rows, always the same ones.
 *
 *   generate library K     library K of the chain: 200 functions f_K_0..199 and a table of 200 function pointers, each
 *                          to a random function of a random earlier library
 *   generate million       one object with 1,000,000 relative and 100,000 symbolic relocations
 *
 * Assembler on stdout. Pointer tables (R_X86_64_64 in RELRO, as a C++ vtable is) because they are bound at start
 * whatever the binding mode; and no DT_NEEDED from library to library, all of them from the program: with these
 * two the system's linker needs the 10 to 11 ms and 97 to 98 ms of cpu for 100 and 400 libraries that the bars were
 * set by. (Calls through a PLT bound at start: 9 and 81. With DT_NEEDED to each library referred to: 18 and 182.)
 *
 * References go to earlier libraries only, so the first 100 of the 400 are the 100 of the smaller row.
 *
 * The symbolic ones name 35,000 different functions, each 2.9 times on average, in random order: what libclang-cpp
 * has is 15,749 to 5,573. All are defined in the object itself.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FUNCTIONS = 200, REFERENCES = 200, RELATIVE = 1000000, SYMBOLIC = 100000, SYMBOLS = 35000 };

/* splitmix64: rand() may differ from libc to libc, and a library's references must not depend on the others'. */
static uint64_t state;

static uint64_t random_below(uint64_t limit)
{
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (z ^ (z >> 31)) % limit;
}

static void print_function(const char *name)
{
    printf("\t.globl %s\n\t.type %s, @function\n\t.p2align 4\n%s:\tmov $1, %%eax\n\tret\n\t.size %s, . - %s\n", name, name, name,
           name, name);
}

static void generate_library(unsigned library)
{
    char name[32];
    state = library;
    puts("\t.text");
    for (unsigned i = 0; i < FUNCTIONS; i++) {
        snprintf(name, sizeof name, "f_%u_%u", library, i);
        print_function(name);
    }
    puts("\t.section .data.rel.ro, \"aw\"\n\t.p2align 3");
    for (unsigned i = 0; library && i < REFERENCES; i++) {
        unsigned target = (unsigned)random_below(library);
        printf("\t.quad f_%u_%u\n", target, (unsigned)random_below(FUNCTIONS));
    }
}

/* Relative and symbolic words are mixed as in a table of vtables: every eleventh word names a symbol, the others
 * point into the object. */
static void generate_million(void)
{
    char name[32];
    state = 1;
    puts("\t.text\nhere:");
    for (unsigned i = 0; i < SYMBOLS; i++) {
        snprintf(name, sizeof name, "million_%u", i);
        print_function(name);
    }
    puts("\t.section .data.rel.ro, \"aw\"\n\t.p2align 3");
    for (unsigned i = 0; i < SYMBOLIC; i++)
        printf("\t.quad million_%u\n\t.rept %u\n\t.quad here + %u\n\t.endr\n", (unsigned)random_below(SYMBOLS),
               RELATIVE / SYMBOLIC, (unsigned)random_below(SYMBOLS) * 16);
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "library"))
        generate_library((unsigned)strtoul(argv[2], NULL, 10));
    else if (argc == 2 && !strcmp(argv[1], "million"))
        generate_million();
    else {
        fputs("usage: generate library K | generate million\n", stderr);
        return 2;
    }
    puts("\t.section .note.GNU-stack, \"\", @progbits");
    return fflush(stdout) ? 1 : 0;
}
