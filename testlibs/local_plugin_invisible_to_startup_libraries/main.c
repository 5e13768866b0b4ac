#include "scenario.h"
void *find(const char *name);
int sees_weakly(void);
int main(void)
{
    void *plugin = must_open("./libplugin.so", RTLD_NOW | RTLD_LOCAL);
    say("common sees it %d, weakly %d", find("from_plugin") != NULL, sees_weakly());
    say("program sees it %d", dlsym(RTLD_DEFAULT, "from_plugin") != NULL);
    dlclose(plugin);
    say("mapped %d", is_mapped("/libplugin.so"));
    return 0;
}
