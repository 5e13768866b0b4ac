#include "scenario.h"
PRINT_LIFE("middle")
