#include "scenario.h"
int main(void) { say("main"); must_open("liblate.so", RTLD_NOW); return 0; }
