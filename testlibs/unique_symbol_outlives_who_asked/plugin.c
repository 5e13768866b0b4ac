extern int one_for_all;
int next(void) { return one_for_all++; }
