#include "scenario.h"
int picked(void), call_from_b(void), call_inside(void);
int (*view_in_a(void))(void);
extern int (*pointer_in_a)(void), (*pointer_in_b)(void);
int main(void)
{
    say("%d %d %d", picked(), call_from_b(), call_inside());
    say("%d %d %d", pointer_in_a == view_in_a(), pointer_in_a == pointer_in_b, pointer_in_a == picked);
    int (*found)(void) = must_sym(RTLD_DEFAULT, "picked");
    say("%d %d", found(), pointer_in_b());
    return 0;
}
