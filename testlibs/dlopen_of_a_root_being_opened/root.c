#include "scenario.h"
PRINT_LIFE("root")
