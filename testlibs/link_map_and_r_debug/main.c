#include "scenario.h"
static void walk(const char *when)
{
    const struct r_debug *debug = NULL;
    for (const ElfW(Dyn) *d = _DYNAMIC; d->d_tag != DT_NULL; d++)
        if (d->d_tag == DT_DEBUG)
            debug = (void *)d->d_un.d_ptr;
    if (!debug) {
        say("%s: DT_DEBUG is empty", when);
        return;
    }
    int broken = 0, vdso = 0, n = 0, libc = 0, late = 0;
    for (const struct link_map *map = debug->r_map; map; map = map->l_next, n++) {
        broken += map->l_next && map->l_next->l_prev != map;
        broken += n == 0 && (map->l_prev != NULL || map->l_name[0] != 0 || map->l_ld != _DYNAMIC);
        vdso += strstr(map->l_name, "vdso") != NULL;
        libc += strstr(map->l_name, "/libc.so.6") != NULL;
        late += strstr(map->l_name, "/liblate.so") != NULL;
        int symtab = 0;
        for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL; d++)
            symtab += d->d_tag == DT_SYMTAB;
        broken += symtab != 1;
    }
    say("%s: version %d state %d breakpoint %d broken %d vdso %d libc %d late %d", when, debug->r_version > 0, (int)debug->r_state,
        debug->r_brk != 0, broken, vdso, libc, late);
    say("first map is the program's handle %d", debug->r_map == dlopen(NULL, RTLD_NOW));
}
int main(void)
{
    walk("start");
    void *late = must_open("./liblate.so", RTLD_NOW);
    walk("opened");
    dlclose(late);
    walk("closed");
    return 0;
}
