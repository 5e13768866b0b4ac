extern __thread int variable;
int nowhere(void);
int read_it(void) { return variable + nowhere(); }
