__attribute__((symver("value@@V1"))) int value_1(void) { return 1; }
#ifndef ONE
__attribute__((symver("two@@V2"))) int two_2(void) { return 2; }
__attribute__((symver("three@@V3"))) int three_3(void) { return 3; }
#endif
