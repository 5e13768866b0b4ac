#include "scenario.h"
extern int number, array[100];
extern const char *text, *const pair[2];
int *address_of_number(void), *users_view(void), sum(void);
void bump(void);
int main(void)
{
    say("%d %s %d %s", number, text, array[2], pair[1]);
    bump();
    number += 10;
    say("%d %d %d %d", number, sum(), address_of_number() == &number, users_view() == &number);
    return 0;
}
