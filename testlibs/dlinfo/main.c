#include "scenario.h"
int *address(void);
int main(void)
{
    void *a = must_open("liba.so", RTLD_NOW), *plain = must_open("libplain.so", RTLD_NOW);
    struct link_map *map;
    Lmid_t id = 99;
    char origin[4096];
    size_t module = 99, none = 99;
    void *block = NULL, *no_block = &block;
    say("%d", dlinfo(a, RTLD_DI_LINKMAP, &map));
    say("  %s", file_name(map->l_name));
    say("%d", dlinfo(a, RTLD_DI_LMID, &id));
    say("  %ld", (long)id);
    say("%d", dlinfo(a, RTLD_DI_ORIGIN, origin));
    say("  %s", origin);
    say("%d", dlinfo(a, RTLD_DI_TLS_MODID, &module));
    say("  %d", module > 0);
    say("%d", dlinfo(plain, RTLD_DI_TLS_MODID, &none));
    say("  %zu", none);
    say("%d", dlinfo(a, RTLD_DI_TLS_DATA, &block));
    say("  %d", block == address());
    say("%d", dlinfo(plain, RTLD_DI_TLS_DATA, &no_block));
    say("  %d", no_block == NULL);
    Dl_serinfo size;
    say("%d", dlinfo(a, RTLD_DI_SERINFOSIZE, &size));
    Dl_serinfo *paths = malloc(size.dls_size);
    dlinfo(a, RTLD_DI_SERINFOSIZE, paths);
    say("%d", dlinfo(a, RTLD_DI_SERINFO, paths));
    say("  %u", paths->dls_cnt);
    for (unsigned i = 0; i < paths->dls_cnt; i++)
        say("%s", paths->dls_serpath[i].dls_name);
    say("%d", dlinfo(a, 4711, &map));
    say("%s", dlerror());
    return 0;
}
