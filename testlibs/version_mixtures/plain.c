int getpid(void);
int value(void) { return getpid() ? 100 : 0; }
