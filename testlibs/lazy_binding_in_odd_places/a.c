#include "scenario.h"
int in_handler(int a, double b) { return a + (int)b; }
int in_destructor(int a) { return a * 2; }
int in_threads(int a, int b) { return a - b; }
int in_cleanup(int a) { return a + 40; }
