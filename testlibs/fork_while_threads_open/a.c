int value(void) { return 12; }
int other(int x) { return 2 * x; }
