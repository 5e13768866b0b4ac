#include "scenario.h"
int check(void);
static int mine[4];
static int *table[] = { &mine[0], &mine[1], &mine[3] };
int main(void)
{
    say("%d %d", check(), table[2] == &mine[3]);
    return 0;
}
