#include "scenario.h"
__attribute__((visibility("protected"))) int guarded(void) { return 1; }
__attribute__((visibility("protected"))) int guarded_data = 10;
__attribute__((visibility("hidden"))) int secret(void) { return 100; }
int open_to_all(void) { return 1000; }
int sum(void) { return guarded() + guarded_data + secret() + open_to_all(); }
