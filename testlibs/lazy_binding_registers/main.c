#include "scenario.h"
#include "args.h"
static long end_of_chain(long a) { return chain(NULL, a * 2); }
int main(void)
{
    say("%ld", ints(1, 2, 3, 4, 5, 6, 7, 8));
    say("%g", floats(1, 2, 3, 4, 5, 6, 7, 8, 9));
    say("%Lg", x87(1.5L, 1e4000L / 1e3999L));
    say("%g", variadic(10, 1L, 0.5, 2L, 0.25, 3L, 0.125, 4L, 8.0, 5L, 16.0));
    struct small s = two_ints(1, 2);
    struct mixed m = int_and_float(41, 1.25);
    struct big b = in_memory(7);
    double complex z = complicated(3 + 4 * I);
    __int128 w = wide((__int128)1 << 70, 3);
    say("%ld %ld %ld %g %ld %ld %g %g", s.a, s.b, m.a, m.b, b.a[0], b.a[4], creal(z), cimag(z));
    say("%lx %lx %d %ld", (long)(w >> 64), (long)w, flag(1, 'x', -7), chain(end_of_chain, 20));
    return 0;
}
