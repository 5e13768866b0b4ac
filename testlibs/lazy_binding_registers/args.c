#include "scenario.h"
#include "args.h"
long ints(long a, long b, long c, long d, long e, long f, long g, long h)
{
    return a + 10 * b + 100 * c + 1000 * d + 10000 * e + 100000 * f + 1000000 * g + 10000000 * h;
}
double floats(double a, double b, double c, double d, double e, double f, double g, double h, double i)
{
    return a + 2 * b + 4 * c + 8 * d + 16 * e + 32 * f + 64 * g + 128 * h + 256 * i;
}
long double x87(long double a, long double b) { return a * b; }
double variadic(int count, ...)
{
    double sum = 0;
    va_list args;
    va_start(args, count);
    for (int i = 0; i < count; i++)
        sum += i % 2 ? va_arg(args, double) : (double)va_arg(args, long);
    va_end(args);
    return sum;
}
struct small two_ints(long a, long b) { return (struct small){ b, a }; }
struct mixed int_and_float(long a, double b) { return (struct mixed){ a + 1, b + 0.5 }; }
struct big in_memory(long a) { return (struct big){ { a, a + 1, a + 2, a + 3, a + 4 } }; }
double complex complicated(double complex z) { return z * I; }
__int128 wide(__int128 a, __int128 b) { return a * b; }
_Bool flag(_Bool a, char b, short c) { return a && b == 'x' && c == -7; }
long chain(long (*next)(long), long a) { return next ? next(a + 1) : a; }
