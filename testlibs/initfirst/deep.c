#include "scenario.h"
#ifndef LIBRARY
#define LIBRARY "libneeding.so"
#endif
int main(void)
{
    must_open(LIBRARY, RTLD_NOW);
    return 0;
}
