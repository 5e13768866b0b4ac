#include "scenario.h"
extern int some_data[];
int exported(void), (*hidden(void))(void);
void *inside_sizeless(void);
static void tell(const char *what, void *address)
{
    Dl_info info;
    memset(&info, 0, sizeof info);
    int found = dladdr(address, &info);
    if (!found) {
        say("%s: nowhere", what);
        return;
    }
    say("%s: %s %s%s", what, file_name(info.dli_fname), info.dli_sname ? info.dli_sname : "-",
        info.dli_saddr == address ? "" : " not at its start");
    ElfW(Sym) *entry = NULL;
    struct link_map *map = NULL;
    dladdr1(address, &info, (void **)&entry, RTLD_DL_SYMENT);
    dladdr1(address, &info, (void **)&map, RTLD_DL_LINKMAP);
    say("  size %ld in %s, base agrees %d", entry ? (long)entry->st_size > 0 : -1L, *map->l_name ? file_name(map->l_name) : "program",
        (char *)map->l_addr == (char *)info.dli_fbase);
}
int main(void)
{
    void *a = must_open("liba.so", RTLD_NOW);
    tell("exported", must_sym(a, "exported"));
    tell("exported+1", (char *)must_sym(a, "exported") + 1);
    tell("hidden", hidden());
    tell("sizeless", inside_sizeless());
    tell("data+4", (int *)must_sym(a, "some_data") + 1);
    tell("main", main);
    tell("stack", &a);
    tell("null", NULL);
    return exported() - 4;
}
