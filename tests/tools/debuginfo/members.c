/* members.c - variables of every shape for tests/tools/debuginfo.sh; the expected answers stand behind "is:" in the line of the
 * variable: offset from its start, length asked for, then name, type, path and its type of each answer, separated by | and ;
 */
#include <stddef.h>

typedef int (*compare)(const void *, const void *);
typedef unsigned long word;
struct inner { char tag; short pair[2]; };
union either { double real; word bits; };
enum colour { RED, GREEN };
struct outer {
    struct inner in[3];
    char letter;
    struct { int x, y; };
    union either e;
    unsigned int one : 3, two : 5, three : 20;
    const char *const *names;
    compare call;
    volatile int count;
};

int plain = 1;                                       /* is: 0 4 plain|int|| ; */
static const char *volatile text = "text";           /* is: 0 8 text|const char *volatile|| ; */
struct outer object = { .letter = 'x' };             /* is: 2 2 object|struct outer|.in[0].pair[0]|short ; */
struct outer object1 = { .letter = 'x' };            /* is: 16 4 object1|struct outer|.in[2].pair[1]|short ; object1|struct outer|.letter|char ; object1|struct outer| (padding)| ; */
struct outer object2 = { .letter = 'x' };            /* is: 20 8 object2|struct outer|.x|int ; object2|struct outer|.y|int ; */
struct outer object3 = { .letter = 'x' };            /* is: 32 8 object3|struct outer|.e.real|double ; */
struct outer object4 = { .letter = 'x' };            /* is: 40 2 object4|struct outer|.{one, two}|unsigned int ; object4|struct outer|.three|unsigned int ; */
struct outer object5 = { .letter = 'x' };            /* is: 48 16 object5|struct outer|.names|const char *const * ; object5|struct outer|.call|compare ; */
struct outer objects[4] = { { .letter = 'x' } };     /* is: 136 1 objects|struct outer [4]|[1].count|volatile int ; */
int grid[2][3][5] = { { { 1 } } };                   /* is: 112 4 grid|int [2][3][5]|[1][2][3]|int ; */
compare table[2] = { NULL };                         /* is: 8 8 table|compare [2]|[1]|compare ; */
int (*function)(const char *, ...) = NULL;           /* is: 0 1 function|int (*)(const char *, ...)|| ; */
void (*(*deep[3])(int))(void) = { NULL };            /* is: 16 8 deep|void (*(*[3])(int))(void)|[2]|void (*(*)(int))(void) ; */
int (*array_pointer)[7] = NULL;                      /* is: 0 8 array_pointer|int (*)[7]|| ; */
enum colour shade = GREEN;                           /* is: 0 4 shade|enum colour|| ; */
struct { long n; int m; char data[]; } flexible = { 1, 2, "flexible" }; /* is: 15 2 flexible|struct {...}|.data[3]|char ; flexible|struct {...}|.data[4]|char ; */
struct { int a; struct inner *b; } nameless = { 1, NULL }; /* is: 8 8 nameless|struct {...}|.b|struct inner * ; */
const volatile word guarded = 3;                     /* is: 0 8 guarded|const volatile word|| ; */
static char buffer[4096] = { 1 };                    /* is: 4095 1 buffer|char [4096]|[4095]|char ; */

int next_id(void) {
    static int counter = 5;                          /* is: 0 4 next_id::counter|int|| ; */
    { static long nested = 6; /* is: 0 8 next_id::nested|long|| ; */
      counter += (int)nested++; }
    return counter + (int)(size_t)text + buffer[(size_t)counter % sizeof buffer];
}
