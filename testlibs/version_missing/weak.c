#include "scenario.h"
int value(void), two(void) __attribute__((weak));
int main(void) { say("%d %s", value(), two ? "two" : "no two"); return 0; }
