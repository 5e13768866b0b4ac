#include "scenario.h"
static void tell(const char *what, void *address)
{
    struct dl_find_object found;
    if (_dl_find_object(address, &found) != 0) {
        say("%s: none", what);
        return;
    }
    const ElfW(Ehdr) *header = found.dlfo_map_start;
    const ElfW(Phdr) *phdr = (void *)((char *)header + header->e_phoff);
    int table = 0;
    for (int i = 0; i < header->e_phnum; i++)
        table |= phdr[i].p_type == PT_GNU_EH_FRAME && (char *)found.dlfo_link_map->l_addr + phdr[i].p_vaddr == (char *)found.dlfo_eh_frame;
    say("%s: '%s' table %d inside %d flags %llu", what, strstr(found.dlfo_link_map->l_name, "ld-") ? "linker" : file_name(found.dlfo_link_map->l_name),
        table, address >= found.dlfo_map_start && address < found.dlfo_map_end, found.dlfo_flags);
}
int main(void)
{
    void *a = must_open("liba.so", RTLD_NOW), *late = must_open("./liblate.so", RTLD_NOW);
    void *in_late = must_sym(late, "function");
    int here;
    tell("main", main);
    tell("a", must_sym(a, "function"));
    tell("libc", must_sym(RTLD_DEFAULT, "qsort"));
    tell("late", in_late);
    tell("stack", &here);
    tell("null", NULL);
    dlclose(late);
    tell("closed", in_late);
    return 0;
}
