/* library.c - a function of a library; with -DBAD_CONSTRUCTOR its constructor dies. */
int library_word = 4;
int from_library(int n) { return n + library_word; }
int other_from_library(int n) { return n - library_word; }
#ifdef BAD_CONSTRUCTOR
static int *volatile nowhere;
__attribute__((constructor)) static void bad_constructor(void) { *nowhere = 1; } /* LINE constructor */
#endif
