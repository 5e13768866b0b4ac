#include "scenario.h"
extern int offset, public_offset;
extern long target;
int main(void)
{
    long *through_got = *(long **)((char *)&public_offset + public_offset);
    say("%ld %d", *(long *)((char *)&offset + offset), through_got == &target);
    return 0;
}
