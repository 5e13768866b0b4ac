#include "scenario.h"
int a(int);
int b(int);
int main(void) { say("%d %d", a(4), b(2)); return 0; }
