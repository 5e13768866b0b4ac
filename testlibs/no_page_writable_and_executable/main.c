#include "scenario.h"
void in_main(void);
int main(void) { in_main(); must_open("libresolv.so.2", RTLD_NOW); in_main(); return 0; }
