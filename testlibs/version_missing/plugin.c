#include "scenario.h"
int main(void)
{
    void *handle = dlopen(NAME, RTLD_NOW);
    say("%s", handle ? "opened" : dlerror());
    say("%d %d", is_mapped("libplugin"), is_mapped("libv"));
    return 0;
}
