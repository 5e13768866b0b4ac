#include "scenario.h"
long value1(long);
int main(void) { say("%ld", value1(0)); return 0; }
