#include "scenario.h"
int main(void) { say("%s", dlopen("./liba.so", RTLD_NOW) ? "opened" : dlerror()); return 0; }
