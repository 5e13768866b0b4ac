/* life.c - the library that only tells of its life: +NAME when constructed, -NAME when destroyed. */
#include "scenario.h"
#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
PRINT_LIFE(TEXT(NAME))
