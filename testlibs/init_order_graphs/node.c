#include "scenario.h"
#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
PRINT_LIFE(TEXT(NAME))
