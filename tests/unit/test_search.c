/* search.c: the order of candidates, $ORIGIN and its kin, and what a secure process may not follow. No file is touched: `try` writes the
 * candidates down and refuses, until the one that a row says exists. */
#include "elfgen.h"

static char tried[65536];
static const char *exists;
static u32 cpu;

static int note_try(struct search *search, const char *path, enum found_by rule, const struct object *owner)
{
    (void)search;
    (void)owner;
    sprintf(tried + strlen(tried), "%s[%s] ", path, found_by_text(rule));
    return exists && strcmp(path, exists) == 0;
}

/* Directories of the older kind (tls, x86_64) and glibc-hwcaps exist only where a row wants the latter. */
static bool hwcaps_present;
static u32 asked;
static bool present(struct search *search, const char *path)
{
    (void)search;
    asked++;
    if (strstr(path, "/glibc-hwcaps"))
        return hwcaps_present;
    return !(strcmp(str_base(path), "tls") == 0 || strcmp(str_base(path), "x86_64") == 0);
}

static u32 level(struct search *search)
{
    (void)search;
    return cpu;
}

static const char *origin(struct search *search, const struct object *object)
{
    (void)search;
    return !object ? NULL : object->is_program ? "/prog" : "/plug/in";
}

struct setting {
    const char *name, *library, *rpath, *runpath, *program_rpath, *library_path, *inhibit;
    bool secure, no_default, hwcaps;
    const char *begins;               /* candidates, in order, as they begin; "" : none at all */
};
#define DEFAULTS "/lib/x86_64-linux-gnu/x.so[default directory] /usr/lib/x86_64-linux-gnu/x.so[default directory] /lib/x.so[default directory] "
static const struct setting settings[] = {
    { "a_slash_is_a_path", "./x.so", .begins = "./x.so[path] " },
    { "without_lists_the_defaults_remain", "x.so", .begins = DEFAULTS },
    { "rpath_comes_first", "x.so", .rpath = "/r", .library_path = "/l", .begins = "/r/x.so[RPATH] /l/x.so[LD_LIBRARY_PATH] /lib/" },
    { "runpath_comes_after_library_path", "x.so", .runpath = "/r", .library_path = "/l", .begins = "/l/x.so[LD_LIBRARY_PATH] /r/x.so[RUNPATH] /lib/" },
    { "runpath_silences_rpath", "x.so", .rpath = "/q", .runpath = "/r", .begins = "/r/x.so[RUNPATH] /lib/" },
    { "runpath_silences_the_programs_rpath", "x.so", .runpath = "/r", .program_rpath = "/p", .begins = "/r/x.so[RUNPATH] /lib/" },
    { "rpath_of_the_program_is_inherited", "x.so", .program_rpath = "/p", .begins = "/p/x.so[RPATH] /lib/" },
    { "own_rpath_before_the_programs", "x.so", .rpath = "/r", .program_rpath = "/p", .begins = "/r/x.so[RPATH] /p/x.so[RPATH] /lib/" },
    { "lists_are_split_at_colons", "x.so", .rpath = "/a:/b", .begins = "/a/x.so[RPATH] /b/x.so[RPATH] /lib/" },
    { "library_path_is_split_at_semicolons_too", "x.so", .library_path = "/a;/b", .begins = "/a/x.so[LD_LIBRARY_PATH] /b/x.so[LD_LIBRARY_PATH] /lib/" },
    { "rpath_is_not_split_at_semicolons", "x.so", .rpath = "/a;/b", .begins = "/a;/b/x.so[RPATH] /lib/" },
    { "an_empty_element_is_here", "x.so", .library_path = ":/b", 
      .begins = "glibc-hwcaps/x86-64-v3/x.so[LD_LIBRARY_PATH] glibc-hwcaps/x86-64-v2/x.so[LD_LIBRARY_PATH] x.so[LD_LIBRARY_PATH] /b/x.so" },
    { "trailing_slashes_are_dropped", "x.so", .rpath = "/a//", .begins = "/a/x.so[RPATH] /lib/" },
    { "the_root_is_a_directory", "x.so", .rpath = "/", .begins = "/x.so[RPATH] /lib/" },
    { "origin_is_the_loaders_directory", "x.so", .rpath = "$ORIGIN/../lib", .begins = "/plug/in/../lib/x.so[RPATH] /lib/" },
    { "origin_of_an_inherited_rpath_is_the_programs", "x.so", .program_rpath = "${ORIGIN}", .begins = "/prog/x.so[RPATH] /lib/" },
    { "inhibit_rpath_by_name", "x.so", .rpath = "/r", .inhibit = "other.so:plugin.so", .begins = "/lib/" },
    { "inhibit_rpath_of_another_changes_nothing", "x.so", .rpath = "/r", .inhibit = "other.so", .begins = "/r/x.so[RPATH] /lib/" },
    { "inhibit_rpath_of_a_longer_name_changes_nothing", "x.so", .rpath = "/r", .inhibit = "plugin.so.1", .begins = "/r/x.so[RPATH] /lib/" },
    { "nodeflib_ends_before_the_defaults", "x.so", .rpath = "/r", .no_default = true, .begins = "/r/x.so[RPATH] " },
    { "nodeflib_without_lists_tries_nothing", "x.so", .no_default = true, .begins = "" },
    { "hwcaps_come_best_first", "x.so", .rpath = "/r", .hwcaps = true,
      .begins = "/r/glibc-hwcaps/x86-64-v3/x.so[RPATH] /r/glibc-hwcaps/x86-64-v2/x.so[RPATH] /r/x.so[RPATH] " },
    { "secure_does_not_follow_origin", "x.so", .rpath = "$ORIGIN", .secure = true, .begins = "/lib/" },
    { "secure_follows_no_origin_inside_an_element", "x.so", .rpath = "/a/$ORIGIN:/usr/lib/q", .secure = true, .begins = "/usr/lib/q/x.so[RPATH] /lib/" },
    { "secure_follows_plain_rpaths", "x.so", .rpath = "/r", .secure = true, .begins = "/r/x.so[RPATH] /lib/" },
    { "a_name_too_long_is_not_tried", NULL, .rpath = "/r", .begins = "" },
};

/* What a search tells a watcher: lists in parentheses, a candidate with a question mark. */
static char told[65536];
static void note_step(struct search *search, enum search_step step, const char *path, enum found_by rule, const struct object *owner)
{
    (void)search;
    (void)owner;
    char *end = told + strlen(told);
    switch (step) {
    case SEARCH_LIST: sprintf(end, "("); return;
    case SEARCH_LIST_DIR: sprintf(end, "%s ", path); return;
    case SEARCH_LIST_END: sprintf(end, "%s) ", found_by_text(rule)); return;
    case SEARCH_CACHE: sprintf(end, "cache "); return;
    case SEARCH_CANDIDATE: sprintf(end, "%s? ", path); return;
    }
}

static void search_row(const struct setting *row, bool watched)
{
    struct arena arena;
    test_arena(&arena);
    struct config config = { .secure = row->secure, .library_path = row->library_path, .inhibit_rpath = row->inhibit };
    struct object program = { .path = "", .is_program = true, .image.rpath = row->program_rpath };
    struct object plugin = { .path = "plugin.so", .loader = &program, .image.rpath = row->rpath, .image.runpath = row->runpath,
                             .image.flags_1 = row->no_default ? DF_1_NODEFLIB : 0 };
    struct search search = { .config = &config, .arena = &arena, .program = &program, .try = note_try, .dir_present = present, .origin = origin,
                             .cpu_level = level };
    search.watch = watched ? note_step : NULL;
    static char endless[8192];
    memset(endless, 'n', sizeof endless - 1);
    tried[0] = 0;
    exists = NULL;
    hwcaps_present = row->hwcaps;
    cpu = 3;
    assert_int_equal(search_library(&search, row->library ? row->library : endless, &plugin), 0);
    test_arena_free(&arena);
}

static void candidates_are(void **state)
{
    const struct setting *row = *state;
    search_row(row, false);
    if (strncmp(tried, row->begins, strlen(row->begins)) != 0 || (!*row->begins && *tried))
        fail_msg("tried %s", tried);
}

/* Directories that are relative count as present, and a watched search tries what is below them too. */
static void watching_changes_nothing(void **state)
{
    const struct setting *row = *state;
    if (row->library_path && row->library_path[0] != '/')
        return;
    search_row(row, false);
    static char plain[sizeof tried];
    strcpy(plain, tried);
    search_row(row, true);
    assert_string_equal(tried, plain);
}

static void each_directory_is_told_until_it_is_known_to_be_missing(void **state)
{
    (void)state;
    struct arena arena;
    test_arena(&arena);
    struct config config = { .library_path = "/a:/b", .inhibit_cache = true };
    struct object plugin = { .path = "plugin.so", .image.flags_1 = DF_1_NODEFLIB };
    struct search search = { .config = &config, .arena = &arena, .try = note_try, .dir_present = present, .cpu_level = level, .watch = note_step };
    cpu = 2;
    exists = "/b/x.so";
    hwcaps_present = false;
    tried[0] = told[0] = 0;
    assert_int_equal(search_library(&search, "x.so", &plugin), 1);
    assert_string_equal(told, "(/a/glibc-hwcaps/x86-64-v2 /a/tls/x86_64/x86_64 /a/tls/x86_64 /a/tls /a/x86_64/x86_64 /a/x86_64 /a "
                              "/b/glibc-hwcaps/x86-64-v2 /b/tls/x86_64/x86_64 /b/tls/x86_64 /b/tls /b/x86_64/x86_64 /b/x86_64 /b LD_LIBRARY_PATH) "
                              "/a/glibc-hwcaps/x86-64-v2/x.so? /a/tls/x86_64/x86_64/x.so? /a/tls/x86_64/x.so? /a/tls/x.so? /a/x86_64/x86_64/x.so? "
                              "/a/x86_64/x.so? /a/x.so? /b/glibc-hwcaps/x86-64-v2/x.so? /b/tls/x86_64/x86_64/x.so? /b/tls/x86_64/x.so? /b/tls/x.so? "
                              "/b/x86_64/x86_64/x.so? /b/x86_64/x.so? /b/x.so? ");
    assert_string_equal(tried, "/a/x.so[LD_LIBRARY_PATH] /b/x.so[LD_LIBRARY_PATH] ");
    told[0] = 0;
    assert_int_equal(search_library(&search, "x.so", &plugin), 1);
    assert_string_equal(told, "(/a /b LD_LIBRARY_PATH) /a/x.so? /b/x.so? ");
    test_arena_free(&arena);
}

static void the_search_ends_with_what_exists(void **state)
{
    (void)state;
    struct arena arena;
    test_arena(&arena);
    struct config config = { .library_path = "/a:/b:/c" };
    struct search search = { .config = &config, .arena = &arena, .try = note_try, .dir_present = present };
    tried[0] = 0;
    exists = "/b/x.so";
    hwcaps_present = false;
    assert_int_equal(search_library(&search, "x.so", NULL), 1);
    assert_string_equal(tried, "/a/x.so[LD_LIBRARY_PATH] /b/x.so[LD_LIBRARY_PATH] ");
    test_arena_free(&arena);
}

static void a_directory_is_asked_after_once(void **state)
{
    (void)state;
    struct arena arena;
    test_arena(&arena);
    struct config config = { 0 };
    struct search search = { .config = &config, .arena = &arena, .try = note_try, .dir_present = present };
    exists = NULL;
    asked = 0;
    tried[0] = 0;
    search_library(&search, "x.so", NULL);
    u32 first = asked;
    tried[0] = 0;
    search_library(&search, "y.so", NULL);
    assert_true(first > 0);
    assert_int_equal(asked, first);
    test_arena_free(&arena);
}

static int give_up(struct search *search, const char *path, enum found_by rule, const struct object *owner)
{
    (void)search, (void)path, (void)rule, (void)owner;
    return -LDR_E_MAP;
}

static void a_broken_candidate_ends_the_search(void **state)
{
    (void)state;
    struct arena arena;
    test_arena(&arena);
    struct config config = { .library_path = "/a" };
    struct search search = { .config = &config, .arena = &arena, .try = give_up };
    assert_int_equal(search_library(&search, "x.so", NULL), -LDR_E_MAP);
    assert_int_equal(search_library(&search, "/x/x.so", NULL), -LDR_E_MAP);
    test_arena_free(&arena);
}

static const struct expansion { const char *name, *from, *to; bool secure, no_origin; const char *platform; } expansions[] = {
    { "plain_text_stays", "/a/b", "/a/b", false, false, NULL },
    { "origin", "$ORIGIN", "/prog", false, false, NULL },
    { "origin_braced", "${ORIGIN}/x", "/prog/x", false, false, NULL },
    { "origin_twice", "$ORIGIN:$ORIGIN", "/prog:/prog", false, false, NULL },
    { "lib", "/x/$LIB", "/x/lib/x86_64-linux-gnu", false, false, NULL },
    { "platform", "/x/${PLATFORM}/y", "/x/haswell/y", false, false, "haswell" },
    { "platform_unknown", "$PLATFORM", "x86_64", false, false, NULL },
    { "unknown_token_stays", "$HOME/x", "$HOME/x", false, false, NULL },
    { "a_lone_dollar_stays", "a$", "a$", false, false, NULL },
    { "an_unclosed_brace_stays", "${ORIGIN", "${ORIGIN", false, false, NULL },
    { "origin_unknown_fails", "$ORIGIN/x", NULL, false, true, NULL },
    { "secure_origin_alone", "$ORIGIN/x", "/prog/x", true, false, NULL },
    { "secure_origin_in_the_middle_fails", "/x/$ORIGIN", NULL, true, false, NULL },
    { "secure_origin_with_more_fails", "$ORIGIN.d/x", NULL, true, false, NULL },
};

static void expansion_is(void **state)
{
    const struct expansion *row = *state;
    struct config config = { .secure = row->secure, .platform = row->platform };
    struct search search = { .config = &config, .origin = origin };
    struct object program = { .is_program = true };
    char room[64];
    struct text out = text_on(room, sizeof room);
    bool done = search_expand(&search, row->from, strlen(row->from), row->no_origin ? NULL : &program, &out);
    assert_int_equal(done, row->to != NULL);
    if (row->to)
        assert_string_equal(room, row->to);
}

static void an_expansion_that_does_not_fit_fails(void **state)
{
    (void)state;
    struct config config = { 0 };
    struct search search = { .config = &config, .origin = origin };
    struct object program = { .is_program = true };
    char room[5];
    struct text out = text_on(room, sizeof room);
    assert_false(search_expand(&search, "$ORIGIN", 7, &program, &out));
    assert_int_equal(room[4], 0);
}

int main(void)
{
    ROWS(settings, candidates_are);
    ROWS(settings, watching_changes_nothing);
    ROWS(expansions, expansion_is);
    TEST(each_directory_is_told_until_it_is_known_to_be_missing);
    TEST(the_search_ends_with_what_exists);
    TEST(a_directory_is_asked_after_once);
    TEST(a_broken_candidate_ends_the_search);
    TEST(an_expansion_that_does_not_fit_fails);
    return tests_run("search");
}
