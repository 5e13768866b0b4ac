#include "scenario.h"
int a_sum(void), b_sum(void), c_sum(void), *a_address(void), *b_address(void), *c_address(void);
int function(void) { return 2; }
int data = 20;
int main(void)
{
    say("%d %d %d", a_sum(), b_sum(), c_sum());
    say("%d %d %d", a_address() == &data, b_address() == &data, c_address() == &data);
    return 0;
}
