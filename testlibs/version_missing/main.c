#include "scenario.h"
int value(void), two(void), three(void);
int main(void) { say("%d %d %d", value(), two(), three()); return 0; }
