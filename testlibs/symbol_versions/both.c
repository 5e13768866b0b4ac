#include "scenario.h"
int value(void), through_next(void), only_two(void);
int main(void) { say("%d %d %d", value(), through_next(), only_two()); return 0; }
