#include "scenario.h"
const char *pass(void);
int main(void) { say("%s", pass()); return 0; }
