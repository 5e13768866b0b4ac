#include "scenario.h"
const char *call(void);
int main(void) { say("%s", call()); return 0; }
