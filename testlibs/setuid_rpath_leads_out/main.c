#include "scenario.h"
#include <sys/auxv.h>
const char *word(void);
int main(void)
{
    say("%s, secure %d", word(), getauxval(AT_SECURE) != 0);
    return 0;
}
