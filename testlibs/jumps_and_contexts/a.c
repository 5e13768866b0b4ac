#include "scenario.h"
#include <setjmp.h>
void leap(jmp_buf *to, int value) { longjmp(*to, value); }
