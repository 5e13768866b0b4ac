#include "scenario.h"
const char *word(void);
int main(void) { say("%s", word()); return 0; }
