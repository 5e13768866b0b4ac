#include "scenario.h"
static char room[100000] = { 1 };
int a(void)
{
    struct link_map *map;
    Dl_info info;
    dladdr1((void *)a, &info, (void **)&map, RTLD_DL_LINKMAP);
    return (int)(map->l_addr % 0x200000) + room[0];
}
