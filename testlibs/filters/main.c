#include "scenario.h"
int filter_one(void), auxiliary_one(void), auxiliary_two(void), lonely_one(void);
int main(void)
{
    say("%d %d %d %d", filter_one(), auxiliary_one(), auxiliary_two(), lonely_one());
    return 0;
}
