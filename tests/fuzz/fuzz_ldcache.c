/* /etc/ld.so.cache: a damaged one gives no path or a wrong one, never a read outside. */
#include "fuzz.h"

static u32 level_two(struct search *search)
{
    (void)search;
    return 2;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "libc.so.6", "libm.so.6", "libz.so.1", "", "liba10.so", "\xff" };
    static const char *const masks[] = { NULL, "x86-64-v2", "" };
    struct ldcache cache;
    if (!ldcache_read(&cache, data, size))
        return 0;
    for (u32 m = 0; m < ARRAY_COUNT(masks); m++) {
        struct config config = { .hwcaps_mask = masks[m], .hwcaps_prepend = m == 2 ? "extra:x86-64-v4" : NULL };
        struct search search = { .config = &config, .cpu_level = level_two };
        for (u32 i = 0; i < ARRAY_COUNT(names); i++) {
            const char *path = ldcache_find(&cache, names[i], &search);
            touch(path, path ? strlen(path) + 1 : 0);
        }
    }
    return 0;
}
