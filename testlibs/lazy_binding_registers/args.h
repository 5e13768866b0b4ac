#include <stdarg.h>
#include <complex.h>
struct small { long a, b; };
struct mixed { long a; double b; };
struct big { long a[5]; };
long ints(long a, long b, long c, long d, long e, long f, long g, long h);
double floats(double a, double b, double c, double d, double e, double f, double g, double h, double i);
long double x87(long double a, long double b);
double variadic(int count, ...);
struct small two_ints(long a, long b);
struct mixed int_and_float(long a, double b);
struct big in_memory(long a);
double complex complicated(double complex z);
__int128 wide(__int128 a, __int128 b);
_Bool flag(_Bool a, char b, short c);
long chain(long (*next)(long), long a);
