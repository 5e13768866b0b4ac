#include "scenario.h"
static int target;
static int *const relocated[600] = { [300] = &target };
static void before(void) { say("program %s", page_rights((void *)&relocated[300])); }
__attribute__((section(".preinit_array"), used)) static void *preinit[] = { before };
int main(void)
{
    say("program %s", page_rights((void *)&relocated[300]));
    void *late = must_open("libresolv.so.2", RTLD_NOW);
    struct link_map *map = late;
    say("opened %s", page_rights(map->l_ld));
    return 0;
}
