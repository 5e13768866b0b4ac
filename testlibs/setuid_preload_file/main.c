#include "scenario.h"
#include <sys/auxv.h>
int main(void)
{
    say("main, secure %d", getauxval(AT_SECURE) != 0);
    return 0;
}
