#include "scenario.h"
int twice(int);
int (*pointer(void))(int);
int main(void) { say("%d %d %d", twice(21), twice(4), pointer() == twice); return 0; }
