#include "scenario.h"
int some_data[4] = { 1 };
static int hidden_function(void) { return 3; }
int (*hidden(void))(void) { return hidden_function; }
int exported(void) { return 4; }
__asm__(".globl sizeless\n.type sizeless, @function\nsizeless: nop\nnop\n");
void sizeless(void);
void *inside_sizeless(void) { return (char *)sizeless + 1; }
