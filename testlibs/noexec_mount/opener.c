#include "scenario.h"
int main(void) { say("%s", dlopen("mounted/liba.so", RTLD_NOW) ? "opened" : dlerror()); return 0; }
