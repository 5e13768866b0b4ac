#include "scenario.h"
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
int next(void);
int JOIN(use_, NAME)(void) { return next(); }
