int global_function(void);
int call(void) { return global_function(); }
