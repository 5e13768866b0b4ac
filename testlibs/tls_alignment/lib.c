#include "scenario.h"
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
static __thread char before = 1;
static __thread struct { int number; } __attribute__((aligned(ALIGN))) aligned_block = { ALIGN };
static __thread char after[3] __attribute__((aligned(ALIGN)));
int JOIN(check_, ALIGN)(void)
{
    return before == 1 && (unsigned long)&aligned_block % ALIGN == 0 && (unsigned long)after % ALIGN == 0 &&
           aligned_block.number == ALIGN && after[2] == 0;
}
