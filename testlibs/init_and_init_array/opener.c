#include "scenario.h"
int main(void) { dlclose(must_open("liba.so", RTLD_NOW)); say("closed"); return 0; }
