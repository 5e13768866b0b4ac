#include "scenario.h"
int number = 7;
const char *text = "initial";
int array[100] = { 1, 2, 3 };
const char *const pair[2] = { "first", "second" };
int *address_of_number(void) { return &number; }
void bump(void) { number++; array[99] = number; }
