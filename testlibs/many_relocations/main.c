#include "scenario.h"
long check(void), calls(void);
int main(void) { say("%ld %ld", check(), calls()); return 0; }
