#include "scenario.h"
int main(void) { say("main"); return 0; }
