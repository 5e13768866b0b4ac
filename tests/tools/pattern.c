/* pattern.c - a library whose segments hold page-aligned blocks of known length, for sharer.c to map, touch and write.
 * The numbers are repeated in tests/tools/pages_truth.sh, where the expected counts are worked out from them. */
enum { PAGE = 4096, CODE_PAGES = 16, CONST_PAGES = 8, RELRO_PAGES = 4, DATA_PAGES = 8 };

__asm__(".pushsection .text\n.balign 4096\n.globl pattern_code\npattern_code:\n.fill 16*4096, 1, 0xc3\n.balign 4096\n.popsection");

__attribute__((aligned(4096))) const char pattern_const[CONST_PAGES * PAGE] = { 1 };
__attribute__((aligned(4096))) char pattern_data[DATA_PAGES * PAGE] = { 1 };

/* One relocated pointer on each page: the linker makes every page of it private. */
#define ON_PAGE(n) [(n) * PAGE / sizeof(char *)] = pattern_data + (n)
__attribute__((aligned(4096))) char *const pattern_relro[RELRO_PAGES * PAGE / sizeof(char *)] = {
    ON_PAGE(0), ON_PAGE(1), ON_PAGE(2), ON_PAGE(3),
};
