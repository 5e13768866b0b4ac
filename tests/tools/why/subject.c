/* subject.c - a library whose variables are written in known ways, for tests/tools/pages_why.sh. Each block of pages is aligned.
 * "why:" behind a variable says what must be told of it when processes 1 and 2 call subject_first and process 3 subject_second:
 * NAME|TYPE|PATH|TYPE OF THE PIECE|PROCESSES THAT WROTE IT|same, place or different; none: not written. */
#include <stdlib.h>
#include <unistd.h>

enum { PAGE = 4096 };
#define ALIGNED __attribute__((aligned(4096)))

extern char **environ;
typedef int (*handler)(int);
struct point { int x, y; };
struct method { const char *name; handler call; long calls; struct point at[2]; };

static int twice(int x) { return 2 * x; }
static long target = 3;                                        /* why: none */
__thread int subject_thread_local = 5;

/* RELRO: relocated, never written */
ALIGNED const struct method subject_table[200] = {             /* why: none */
    [0] = { "first", twice, 0, { { 0 } } }, [150] = { "last", abs, 0, { { 0 } } } };

/* a page of data that nothing relocates: one hot counter, and the rest cold */
ALIGNED static volatile struct { long cold[100]; int hot; char rest[PAGE - 804]; } counters = { { 1 }, 2, "" };
                                                               /* why: counters|volatile struct {...}|.hot|int|3|different */
/* one page with a variable that every process writes alike, and one that only the third does */
ALIGNED static volatile int alike = 1;                         /* why: alike|volatile int|||3|same */
static volatile char letters[8] = "abcdefg";                   /* why: letters|volatile char [8]|[2]|volatile char|1|same */
ALIGNED static long fence = 7;                                 /* why: none */

/* relocated and written: an element of an array, a pointer that is moved, one that leads outside */
ALIGNED struct method subject_methods[4] = {                   /* why: subject_methods|struct method [4]|[3].calls|long int|3|same */
    { "a", twice, 0, { { 0 } } }, { "b", abs, 0, { { 0 } } }, { "c", twice, 0, { { 0 } } }, { "d", twice, 9, { { 0 } } } };
extern struct method methods_here[4] __attribute__((alias("subject_methods"), visibility("hidden")));
struct method *subject_current = &methods_here[1];             /* why: subject_current|struct method *|||3|place */
handler subject_handler = twice;                               /* why: subject_handler|handler|||2|place */
void *subject_block = &target;                                 /* why: subject_block|void *|||3|different */
char ***subject_environ = &environ;                            /* why: none */

/* larger than a page, and all of it written */
ALIGNED char subject_buffer[3 * PAGE] = { 1 };                 /* why: subject_buffer|char [12288]|[5000]|char|3|same */
/* written with what it held: identical to the file */
ALIGNED long subject_kept[PAGE / sizeof(long)] = { 4 };        /* why: none */
/* never touched */
ALIGNED long subject_idle[2 * PAGE / sizeof(long)] = { 4 };    /* why: none */

static void write_all(long number) {
    static volatile int calls = 1;                             /* why: write_all::calls|volatile int|||3|same */
    calls += 4;
    counters.hot = (int)number;
    alike = 2;
    subject_methods[3].calls = 10;
    subject_current = &methods_here[2];
    subject_block = malloc(16);
    for (int i = 0; i < 3 * PAGE; i++)
        subject_buffer[i] = 'b';
    *(volatile long *)&subject_kept[7] = subject_kept[7];
    subject_thread_local++;
    (void)fence;
}

void subject_first(void) {
    write_all(1000 + getpid());
    subject_handler = abs;
}

void subject_second(void) {
    write_all(2000 + getpid());
    letters[2] = 'C';
}
