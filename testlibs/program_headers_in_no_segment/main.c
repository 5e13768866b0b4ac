#include "scenario.h"
static int visit(struct dl_phdr_info *info, size_t size, void *name)
{
    (void)size;
    if (strcmp(file_name(info->dlpi_name), file_name(name)) == 0)
        for (int i = 0; i < info->dlpi_phnum; i++)
            say("type %#x at %#lx", info->dlpi_phdr[i].p_type, (unsigned long)info->dlpi_phdr[i].p_vaddr);
    return 0;
}
#ifdef LINKED
int four(void);
#endif
int main(int argc, char **argv)
{
    (void)argc;
    void *handle = dlopen(argv[1], RTLD_NOW);
    say("%s", handle ? "opened" : dlerror());
    dl_iterate_phdr(visit, argv[1]);
#ifdef LINKED
    say("%d", four());
#endif
    if (handle)
        say("%d", ((int (*)(void))must_sym(handle, "four"))());
    return 0;
}
