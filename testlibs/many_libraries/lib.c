#include "scenario.h"
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
long JOIN(value, NEXT)(long);
long shared_name(void) { return N; }
#if N != NEXT
long JOIN(value, N)(long sum) { return JOIN(value, NEXT)(sum + shared_name()); }
#else
long JOIN(value, N)(long sum) { return sum; }
#endif
