#include "scenario.h"
int a(void);
static int seen(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size, (void)data;
    say("program %lx", (long)(info->dlpi_addr % 0x200000));
    return 1;
}
int main(void)
{
    dl_iterate_phdr(seen, NULL);
    say("%d", a());
    say("%d", ((int (*)(void))must_sym(must_open("liblate.so", RTLD_NOW), "a"))());
    return 0;
}
