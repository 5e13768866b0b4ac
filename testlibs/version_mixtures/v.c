__attribute__((symver("value@V1"))) int value_1(void) { return 1; }
__attribute__((symver("value@@V2"))) int value_2(void) { return 2; }
