#include "scenario.h"
int main(void)
{
    void *two = must_open("libtwo.so", RTLD_NOW);
    must_open("libfirst.so", RTLD_NOW);
    dlclose(two);
    return 0;
}
