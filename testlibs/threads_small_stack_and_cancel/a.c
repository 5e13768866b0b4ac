#include "scenario.h"
int first(int x) { return x + 1; }
int second(double x, double y) { return (int)(x * y); }
