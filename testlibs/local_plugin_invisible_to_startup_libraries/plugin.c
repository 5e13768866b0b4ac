int from_plugin(void) { return 1; }
