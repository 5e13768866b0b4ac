#include "scenario.h"
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define OWN(name) JOIN(PREFIX, name)
int OWN(data) = 4;
static int *const constants[300] = { [299] = &OWN(data) };
static __thread int local = 6;
char OWN(zeros)[9000];
int OWN(callback)(int (*f)(int)) { return f(3); }
int OWN(sum)(void) { return OWN(data) + *constants[299] + local++ + OWN(zeros)[8999]; }
PRINT_LIFE("lib")
