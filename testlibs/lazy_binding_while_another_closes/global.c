int global_function(void) { return 42; }
