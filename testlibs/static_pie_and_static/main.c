#include "scenario.h"
static __thread int counted = 40;
PRINT_LIFE("static")
int main(int argc, char **argv) { counted += argc; say("%d %s", counted, argv[argc - 1]); return 6; }
