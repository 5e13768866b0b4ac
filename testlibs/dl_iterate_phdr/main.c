#include "scenario.h"
int *address(void);
static unsigned long long adds, subs;
static int visit(struct dl_phdr_info *info, size_t size, void *show)
{
    int dynamic = 0, tls = 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        dynamic += info->dlpi_phdr[i].p_type == PT_DYNAMIC;
        tls += info->dlpi_phdr[i].p_type == PT_TLS;
    }
    adds = info->dlpi_adds;
    subs = info->dlpi_subs;
    if (show && !strstr(info->dlpi_name, "ld-") && !strstr(info->dlpi_name, "vdso"))
        say("'%s' dynamic %d tls %d block %s size %d", file_name(info->dlpi_name), dynamic, tls,
            !info->dlpi_tls_data ? "none" : info->dlpi_tls_data == address() ? "a's" : "its own", size == sizeof *info);
    return strstr(info->dlpi_name, "libnone") != NULL;
}
int main(void)
{
    *address() = 1;
    say("%d", dl_iterate_phdr(visit, "show"));
    unsigned long long adds_before = adds, subs_before = subs;
    void *late = must_open("liblate.so", RTLD_NOW);
    dl_iterate_phdr(visit, NULL);
    say("adds %llu subs %llu", adds - adds_before, subs - subs_before);
    dl_iterate_phdr(visit, "show");
    dlclose(late);
    dl_iterate_phdr(visit, NULL);
    say("adds %llu subs %llu", adds - adds_before, subs - subs_before);
    return 0;
}
