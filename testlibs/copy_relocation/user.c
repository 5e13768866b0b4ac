#include "scenario.h"
extern int number, array[100];
int sum(void) { return number + array[0] + array[99]; }
int *users_view(void) { return &number; }
