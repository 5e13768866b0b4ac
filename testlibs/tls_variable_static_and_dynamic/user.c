extern __thread int variable;
int *address_here(void) { return &variable; }
