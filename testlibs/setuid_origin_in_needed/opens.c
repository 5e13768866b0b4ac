#include "scenario.h"
#include <sys/auxv.h>
int main(int argc, char **argv)
{
    (void)argc;
    say("secure %d", getauxval(AT_SECURE) != 0);
    say("%s", dlopen(argv[1], RTLD_NOW) ? "opened" : dlerror());
    return 0;
}
