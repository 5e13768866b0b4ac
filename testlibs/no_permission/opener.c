#include "scenario.h"
int main(void)
{
    void *handle = dlopen(NAME, RTLD_NOW);
    say("%s", handle ? "opened" : dlerror());
    return 0;
}
