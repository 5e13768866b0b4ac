#include "scenario.h"
int use_soname(void), use_hard(void);
int main(void)
{
    say("%d", use_soname() + 10 * use_hard());
    void *a = must_open("libshort.so", RTLD_NOW);
    say("%d %d", a == must_open("./libhard.so", RTLD_NOW), a == must_open("./libreal.so", RTLD_NOW));
    int lines = 0;
    for (struct link_map *map = a; map; map = map->l_next)
        lines += strstr(map->l_name, "real") || strstr(map->l_name, "short") || strstr(map->l_name, "copy") || strstr(map->l_name, "hard.so");
    say("%d", lines > 0);
    return 0;
}
