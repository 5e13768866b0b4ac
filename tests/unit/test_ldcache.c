/* ldcache.c: /etc/ld.so.cache, built here, damaged here, and the machine's own with ldconfig as the oracle. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elfgen.h"

struct entry { const char *name, *path; i64 flags; u64 hwcap; };
static const struct entry good[] = {  /* in ldconfig's order: downwards, numbers as numbers, best hwcap first */
    { "libz.so.1", "/l/libz.so.1", 0x0303, 0 },
    { "libm.so.6", "/l/v3/libm.so.6", 0x0303, 1ull << 62 | 1 },
    { "libm.so.6", "/l/v2/libm.so.6", 0x0303, 1ull << 62 | 0 },
    { "libm.so.6", "/l/libm.so.6", 0x0303, 0 },
    { "libc.so.6", "/l32/libc.so.6", 0x0003, 0 },
    { "libc.so.6", "/l/libc.so.6", 0x0303, 0 },
    { "libb.so", "/l/legacy/libb.so", 0x0303, 4 },
    { "liba10.so", "/l/liba10.so", 0x0303, 0 },
    { "liba9.so", "/l/liba9.so", 0x0303, 0 },
};

struct cache { u8 bytes[4096]; u32 len, strings, extension; };

static void put32(u8 *at, u32 value) { memcpy(at, &value, 4); }

static void make(struct cache *c)
{
    memset(c, 0, sizeof *c);
    memcpy(c->bytes, "glibc-ld.so.cache1.1", 20);
    u32 n = ARRAY_COUNT(good), at = 48 + 24 * n;
    c->strings = at;
    static const char *const levels[] = { "x86-64-v2", "x86-64-v3" };
    u32 level_at[2];
    for (u32 i = 0; i < 2; i++) {
        level_at[i] = at;
        at += (u32)sprintf((char *)c->bytes + at, "%s", levels[i]) + 1;
    }
    for (u32 i = 0; i < n; i++) {
        u8 *e = c->bytes + 48 + 24 * i;
        put32(e, (u32)good[i].flags);
        put32(e + 4, at);
        at += (u32)sprintf((char *)c->bytes + at, "%s", good[i].name) + 1;
        put32(e + 8, at);
        at += (u32)sprintf((char *)c->bytes + at, "%s", good[i].path) + 1;
        memcpy(e + 16, &good[i].hwcap, 8);
    }
    put32(c->bytes + 20, n);
    put32(c->bytes + 24, at - c->strings);
    c->bytes[28] = 2;
    at = (at + 3) & ~3u;
    c->extension = at;
    put32(c->bytes + 32, at);
    put32(c->bytes + at, 0xeaa42174);
    put32(c->bytes + at + 4, 1);
    put32(c->bytes + at + 8, 1);
    put32(c->bytes + at + 16, at + 24);
    put32(c->bytes + at + 20, 8);
    put32(c->bytes + at + 24, level_at[0]);
    put32(c->bytes + at + 28, level_at[1]);
    c->len = at + 32;
}

static u32 cpu;
static u32 level(struct search *search)
{
    (void)search;
    return cpu;
}

static const struct found { const char *name; const char *soname; u32 cpu; const char *mask, *prepend, *path; } finds[] = {
    { "the_first_entry_is_found", "libz.so.1", 1, NULL, NULL, "/l/libz.so.1" },
    { "the_last_entry_is_found", "liba9.so", 1, NULL, NULL, "/l/liba9.so" },
    { "numbers_in_names_compare_as_numbers", "liba10.so", 1, NULL, NULL, "/l/liba10.so" },
    { "an_absent_name_is_not_found", "libq.so", 1, NULL, NULL, NULL },
    { "a_prefix_is_not_found", "lib", 1, NULL, NULL, NULL },
    { "an_empty_name_is_not_found", "", 1, NULL, NULL, NULL },
    { "entries_of_another_machine_are_passed_over", "libc.so.6", 4, NULL, NULL, "/l/libc.so.6" },
    { "legacy_hwcaps_are_passed_over", "libb.so", 4, NULL, NULL, NULL },
    { "a_v1_machine_takes_the_plain_file", "libm.so.6", 1, NULL, NULL, "/l/libm.so.6" },
    { "a_v2_machine_takes_v2", "libm.so.6", 2, NULL, NULL, "/l/v2/libm.so.6" },
    { "a_v4_machine_takes_the_best_there_is", "libm.so.6", 4, NULL, NULL, "/l/v3/libm.so.6" },
    { "a_mask_limits_the_levels", "libm.so.6", 4, "x86-64-v2", NULL, "/l/v2/libm.so.6" },
    { "a_mask_of_nothing_leaves_the_plain_file", "libm.so.6", 4, "", NULL, "/l/libm.so.6" },
    { "a_prepended_level_wins", "libm.so.6", 4, NULL, "x86-64-v2", "/l/v2/libm.so.6" },
    { "a_list_of_levels_is_split_at_colons", "libm.so.6", 4, "x86-64-v3:x86-64-v2", NULL, "/l/v3/libm.so.6" },
};

static void find_gives(void **state)
{
    const struct found *row = *state;
    struct cache c;
    struct ldcache cache;
    make(&c);
    cpu = row->cpu;
    struct config config = { .hwcaps_mask = row->mask, .hwcaps_prepend = row->prepend };
    struct search search = { .config = &config, .cpu_level = level };
    assert_true(ldcache_read(&cache, c.bytes, c.len));
    const char *path = ldcache_find(&cache, row->soname, &search);
    if (row->path)
        assert_string_equal(path, row->path);
    else
        assert_null(path);
}

/* Damage: where, what, and whether the cache is still one. `len` 0: whole. */
static const struct damage { const char *name; u32 off; u32 value; u32 len; bool usable; } damages[] = {
    { "an_undamaged_cache_is_read", 36, 0, 0, true },
    { "an_empty_file_is_no_cache", 36, 0, 1, false },
    { "half_a_head_is_no_cache", 36, 0, 47, false },
    { "another_magic_is_no_cache", 0, 0, 0, false },
    { "another_version_is_no_cache", 16, 0x30312e31, 0, false },
    { "big_endian_is_no_cache", 28, 1, 0, false },
    { "unstated_endianness_is_read", 28, 0, 0, true },
    { "more_entries_than_bytes_is_no_cache", 20, 0x10000000, 0, false },
    { "all_ones_entries_is_no_cache", 20, 0xffffffff, 0, false },
    { "entries_without_strings_is_no_cache", 36, 0, 48 + 24 * 9, false },
    { "strings_past_the_file_is_no_cache", 24, 0xffffffff, 0, false },
    { "no_strings_is_no_cache", 24, 0, 0, false },
    { "unended_strings_is_no_cache", 24, 12, 0, false },
    { "an_extension_past_the_file_is_ignored", 32, 0xffffffff, 0, true },
    { "no_entries_is_read", 20, 0, 0, true },
    { "a_name_past_the_file_is_no_name", 52, 0xffffffff, 0, true },
    { "a_path_past_the_file_is_no_path", 56, 0xffffffff, 0, true },
    { "a_level_past_all_levels_is_none", 48 + 24 + 16, 0xffff, 0, true },
};

static void damaged_cache_is_survived(void **state)
{
    const struct damage *row = *state;
    struct cache c;
    struct ldcache cache;
    make(&c);
    put32(c.bytes + row->off, row->value);
    u32 len = row->len ? row->len : c.len;
    u8 *exact = malloc(len);          /* the sanitizer sees its end */
    memcpy(exact, c.bytes, len);
    cpu = 4;
    struct config config = { 0 };
    struct search search = { .config = &config, .cpu_level = level };
    bool usable = ldcache_read(&cache, exact, len);
    assert_int_equal(usable, row->usable);
    for (u32 i = 0; usable && i < ARRAY_COUNT(good); i++) {
        const char *path = ldcache_find(&cache, good[i].name, &search);
        if (path)
            assert_true(strlen(path) < len);
    }
    free(exact);
}

static void every_cut_of_a_cache_is_survived(void **state)
{
    (void)state;
    struct cache c;
    make(&c);
    struct config config = { 0 };
    struct search search = { .config = &config, .cpu_level = level };
    for (u32 len = 0; len < c.len; len++) {
        u8 *exact = malloc(len + !len);
        memcpy(exact, c.bytes, len);
        struct ldcache cache;
        if (ldcache_read(&cache, exact, len))
        {
            u32 at = 0;
            const char *soname, *path;
            for (u32 i = 0; i < ARRAY_COUNT(good); i++)
                ldcache_find(&cache, good[i].name, &search);
            while (ldcache_next(&cache, &at, &soname, &path))
                assert_in_range(strlen(soname) + strlen(path), 0, len);
        }
        free(exact);
    }
}

/* `ldconfig -p` prints every entry: the first of a name and of our kind is what must be found, hwcaps left aside. */
static void the_machines_cache_is_read_as_ldconfig_prints_it(void **state)
{
    (void)state;
    struct stat st;
    int fd = open("/etc/ld.so.cache", O_RDONLY | O_CLOEXEC);
    FILE *list = popen("PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null", "r");
    if (fd < 0 || !list || fstat(fd, &st) != 0)
        skip();
    const u8 *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    struct ldcache cache;
    assert_true(ldcache_read(&cache, bytes, (u64)st.st_size));
    struct config config = { .hwcaps_mask = "" };
    struct search search = { .config = &config };
    static char line[4096], name[1024], kind[1024], path[2048], last[1024];
    u32 asked = 0;
    while (fgets(line, sizeof line, list)) {
        if (sscanf(line, " %1023s (%1023[^)]) => %2047s", name, kind, path) != 3 || strcmp(kind, "libc6,x86-64") != 0 || strcmp(name, last) == 0)
            continue;
        strcpy(last, name);
        const char *found = ldcache_find(&cache, name, &search);
        assert_non_null(found);
        assert_string_equal(found, path);
        asked++;
    }
    pclose(list);
    /* Walking shows every name that can be found, and ends. */
    u32 at = 0, walked = 0;
    const char *soname, *where;
    while (ldcache_next(&cache, &at, &soname, &where)) {
        assert_non_null(ldcache_find(&cache, soname, &(struct search){ .config = &(struct config){ 0 } }));
        walked++;
    }
    assert_true(walked >= asked);
    assert_false(ldcache_next(&cache, &at, &soname, &where));
    assert_true(asked > 10);
    assert_null(ldcache_find(&cache, "libnever.so.0", &search));
}

int main(void)
{
    ROWS(finds, find_gives);
    ROWS(damages, damaged_cache_is_survived);
    TEST(every_cut_of_a_cache_is_survived);
    TEST(the_machines_cache_is_read_as_ldconfig_prints_it);
    return tests_run("ldcache");
}
