#include "scenario.h"
int main(void) { say("%d", ((int (*)(int))must_sym(must_open("./liblate.so", RTLD_NOW), "sum"))(101)); return 0; }
