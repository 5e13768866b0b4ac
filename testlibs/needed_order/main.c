#include "scenario.h"
int main(void)
{
    void *self = dlopen(NULL, RTLD_LAZY);
    struct link_map *map = NULL;
    dlinfo(self, RTLD_DI_LINKMAP, &map);
    for (; map; map = map->l_next)
        if (strstr(map->l_name, "lib") && !strstr(map->l_name, "libc.so") && !strstr(map->l_name, "ld-"))
            say("%s", file_name(map->l_name));
    return 0;
}
