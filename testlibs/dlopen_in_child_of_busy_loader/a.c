int value(void) { return 12; }
