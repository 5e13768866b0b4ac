#include "ldr.h"
int cmd_pages(int argc, char **argv) { (void)argc; (void)argv; return 1; }
