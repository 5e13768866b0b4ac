#include "scenario.h"
int *a_view(void), *b_view(void);
extern char shared_buffer[];
int main(void)
{
    *a_view() = 3;
    say("%d %d %d", a_view() == b_view(), *b_view(), shared_buffer[4999]);
    return 0;
}
