int value(void) { return 11; }
