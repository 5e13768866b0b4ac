#include "scenario.h"
int value(void), asked_inside(void);
#ifdef WITH
int value(void) { return 5; }
#endif
int main(void) { say("%d %d", value(), asked_inside()); return 0; }
