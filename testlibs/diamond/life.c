#include "scenario.h"
PRINT_LIFE(NAME)
