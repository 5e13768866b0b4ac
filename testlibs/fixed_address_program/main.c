#include "scenario.h"
int read_program(void);
int in_program = 9;
static char zeros[100000];
extern char __executable_start[], _end[];
PRINT_LIFE("main")
int main(void)
{
    int sum = 0;
    for (unsigned i = 0; i < sizeof zeros; i++)
        sum += zeros[i];
    say("%d %d %d", read_program(), sum, (void *)main > (void *)__executable_start && (void *)main < (void *)_end);
    say("%lx", (long)__executable_start);
    return 0;
}
