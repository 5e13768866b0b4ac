#include "scenario.h"
int main(void)
{
    must_open("./libleaving.so", RTLD_NOW);
    say("not reached");
    return 0;
}
