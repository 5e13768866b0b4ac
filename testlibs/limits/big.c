char zeros[1u << 30];
int value(void) { return zeros[1u << 29] + 5; }
