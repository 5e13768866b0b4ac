/* config.c: the environment as facts, and what a secure process may not have. */
#include "elfgen.h"

static const struct row {
    const char *name, *entry;
    bool secure;
    size_t at;                        /* offset of a bool or string in struct config; ~0: nothing may change */
    const char *text;                 /* NULL: the field is a bool that must be true */
} rows[] = {
    { "bind_now", "LD_BIND_NOW=1", false, offsetof(struct config, bind_now), NULL },
    { "bind_now_is_taken_when_secure", "LD_BIND_NOW=1", true, offsetof(struct config, bind_now), NULL },
    { "bind_now_empty_is_off", "LD_BIND_NOW=", false, ~0ul, NULL },
    { "a_longer_name_is_another", "LD_BIND_NOWX=1", false, ~0ul, NULL },
    { "a_name_without_value_is_nothing", "LD_BIND_NOW", false, ~0ul, NULL },
    { "library_path", "LD_LIBRARY_PATH=/a:/b", false, offsetof(struct config, library_path), "/a:/b" },
    { "library_path_empty_is_none", "LD_LIBRARY_PATH=", false, ~0ul, NULL },
    { "library_path_is_not_taken_when_secure", "LD_LIBRARY_PATH=/a", true, ~0ul, NULL },
    { "preload", "LD_PRELOAD=x.so", false, offsetof(struct config, preload_env), "x.so" },
    { "dynamic_weak_is_not_taken_when_secure", "LD_DYNAMIC_WEAK=1", true, ~0ul, NULL },
    { "origin_path_must_be_absolute", "LD_ORIGIN_PATH=rel", false, ~0ul, NULL },
    { "origin_path", "LD_ORIGIN_PATH=/o", false, offsetof(struct config, origin_path), "/o" },
    { "origin_path_is_not_taken_when_secure", "LD_ORIGIN_PATH=/o", true, ~0ul, NULL },
    { "debug_is_not_taken_when_secure", "LD_DEBUG=all", true, ~0ul, NULL },
    { "trace", "LD_TRACE_LOADED_OBJECTS=1", false, offsetof(struct config, trace), NULL },
    { "another_variable_is_nothing", "PATH=/bin", false, ~0ul, NULL },
    { "an_empty_entry_is_nothing", "", false, ~0ul, NULL },
};

static void entry_is_taken(void **state)
{
    const struct row *row = *state;
    struct config config = { .secure = row->secure }, untouched = config;
    config_take_env(&config, row->entry);
    if (row->at == ~0ul)
        assert_memory_equal(&config, &untouched, sizeof config);
    else if (row->text)
        assert_string_equal(*(const char **)(void *)((char *)&config + row->at), row->text);
    else
        assert_true(*(bool *)((char *)&config + row->at));
}

static void dangerous_names_are_known(void **state)
{
    (void)state;
    static const char *const bad[] = { "LD_LIBRARY_PATH=x", "LD_PRELOAD=", "MALLOC_CHECK_=1", "GCONV_PATH=/", "TZDIR=a", "LD_AUDIT=q", "LDR_GENUINE_LDSO=/x", "LDR_CACHE_DIR=" };
    static const char *const fine[] = { "PATH=/bin", "LD_LIBRARY_PATHS=x", "LD_BIND_NOW=1", "HOME=", "", "TZ=UTC", "LDR_LDSO=/x", "LDR_CACHES=x" };
    for (u32 i = 0; i < ARRAY_COUNT(bad); i++) {
        assert_true(config_unsecure_name(bad[i]));
        assert_false(config_unsecure_name(fine[i]));
    }
}

int main(void)
{
    ROWS(rows, entry_is_taken);
    TEST(dangerous_names_are_known);
    return tests_run("config");
}
