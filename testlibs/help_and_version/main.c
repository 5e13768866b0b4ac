#include "scenario.h"
int main(void) { return 0; }
