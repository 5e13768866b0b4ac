/* causes.c - a library whose pages become private in known ways, each way on blocks of its own, for causer.c.
 * The numbers are repeated in tests/tools/pages_causes.sh. */
enum { PAGE = 4096 };
#define ALIGNED __attribute__((aligned(4096)))
#define WORDS(pages) ((pages) * PAGE / sizeof(long))

extern char **environ;
long causes_target[2] ALIGNED = { 1, 2 };  /* never written by the program */

/* RELRO: two relative pointers a page, nothing else */
#define POINTERS(page) [(page) * 512] = (char *)causes_target, [(page) * 512 + 511] = (char *)causes_target + 8
ALIGNED char *const causes_table[WORDS(3)] = { POINTERS(0), POINTERS(1), POINTERS(2) };

/* a relative pointer, and a number that the program writes */
struct mixed { char *pointer; long number; char rest[PAGE - 16]; };
static char target;
ALIGNED struct mixed causes_mixed[2] = { { &target, 7, "" }, { &target, 7, "" } };
/* only relocated, though writable */
ALIGNED struct mixed causes_kept[3] = { { &target, 7, "" }, { &target, 7, "" }, { &target, 7, "" } };
/* a relative pointer that the program sets elsewhere: nothing else on the page tells */
ALIGNED struct mixed causes_moved[1] = { { &target, 7, "" } };
/* a relative pointer that the program sets to NULL: the file's own word, beside a pointer that stays */
ALIGNED struct { char *reset, *stays; char rest[PAGE - 16]; } causes_reset[1] = { { &target, &target, "" } };
/* a symbolic pointer that the program sets elsewhere: not knowable, so relocation */
ALIGNED struct { char ***pointer; char rest[PAGE - 8]; } causes_symbolic[1] = { { &environ, "" } };

ALIGNED long causes_plain[WORDS(4)] = { 1 };  /* written */
ALIGNED long causes_same[WORDS(2)] = { 1 };   /* written with the value it had */
ALIGNED long causes_idle[WORDS(2)] = { 1 };   /* only read */
