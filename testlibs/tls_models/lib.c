#include "scenario.h"
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
__thread int JOIN(PREFIX, exported) = 100;
static __thread int counter = 5;
static __thread long zero[10];
int JOIN(PREFIX, count)(void) { counter++; zero[9] += 2; return counter + (int)zero[9] + JOIN(PREFIX, exported); }
int *JOIN(PREFIX, address)(void) { return &JOIN(PREFIX, exported); }
