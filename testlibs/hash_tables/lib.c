#include "scenario.h"
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
int from_program(void);
#define F(n) int JOIN(PREFIX, n)(void) { return from_program() + n; }
#define F10(n) F(n##0) F(n##1) F(n##2) F(n##3) F(n##4) F(n##5) F(n##6) F(n##7) F(n##8) F(n##9)
F10(1) F10(2) F10(3) F10(4) F10(5)
int JOIN(PREFIX, collatz)(void) { return from_program(); }
