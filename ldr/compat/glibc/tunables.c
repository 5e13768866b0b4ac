/* tunables.c - GLIBC_TUNABLES and its aliases (MALLOC_ARENA_MAX...): the genuine linker's own parser reads them into its own list, which
 * __tunable_get_val then answers from. The parser is a hidden function; rows made from debug info know its place. It allocates from
 * the end of the linker's data segment and needs nothing else of the linker's start. Must run before RELRO is sealed and before the
 * IRELATIVE that computes CPU features, which reads the cpu tunables. */
#include "glibc.h"

static bool concerns_tunables(const char *entry)
{
    return str_starts(entry, "GLIBC_TUNABLES=") || str_starts(entry, "MALLOC_") || str_starts(entry, "LD_HWCAP_MASK=") ||
           str_starts(entry, "LD_PREFER_MAP_32BIT_EXEC=");
}

void glibc_tunables(void)
{
    const struct glibc_layout *row = glibc.row;
    if (!row || !glibc_has(row->ld_tunables_init))
        return;
    bool any = false;
    for (char **entry = session.kernel.envp; *entry && !any; entry++)
        any = concerns_tunables(*entry);
    if (!any)
        return;
    u64 secure = glibc_known(KNOWN_SECURE);
    if (secure)
        *(int *)secure = session.config.secure;
    ((void (*)(char **))(session.linker->bias + row->ld_tunables_init))(session.kernel.envp);
}
void shim_before_linker_runs(void)
{
    glibc_tunables();
}
