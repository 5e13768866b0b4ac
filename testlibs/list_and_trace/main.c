#include "scenario.h"
int main(void) { say("main runs"); return 0; }
