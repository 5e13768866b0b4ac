#include "scenario.h"
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
int shared_number;
char shared_buffer[5000];
int *JOIN(NAME, _view)(void) { shared_buffer[4999] += 1; return &shared_number; }
