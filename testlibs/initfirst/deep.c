#include "scenario.h"
int main(void)
{
    must_open("libneeding.so", RTLD_NOW);
    return 0;
}
