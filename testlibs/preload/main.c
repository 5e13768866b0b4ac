#include "scenario.h"
int main(void) { puts("main"); return 0; }
