#include "scenario.h"
int main(void) { void *late = must_open("liblate.so", RTLD_NOW); say("main"); dlclose(late); return 0; }
