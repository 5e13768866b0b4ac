#include "scenario.h"
const char *open_leaf(void) { return ((const char *(*)(void))must_sym(must_open("libleaf.so", RTLD_NOW), "word"))(); }
