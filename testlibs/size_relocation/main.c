#include "scenario.h"
extern long sizes[3];
extern int small_size;
int main(void) { say("%ld %ld %ld %d", sizes[0], sizes[1], sizes[2], small_size); return 0; }
