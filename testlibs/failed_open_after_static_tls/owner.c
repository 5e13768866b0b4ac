__thread int variable = 1;
int *address(void) { return &variable; }
