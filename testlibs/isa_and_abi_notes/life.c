#include "scenario.h"
PRINT_LIFE("library")
