#include "scenario.h"
int answer(void);
int number = 5;
int main(void) { say("%d %d %s", answer(), number, page_rights((void *)main)); return 0; }
