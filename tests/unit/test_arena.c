/* arena.c: bump allocation. */
#include "elfgen.h"

static char chunk[2][256] __attribute__((aligned(16)));
static u32 chunks;

static void *two_chunks(struct arena *arena, size_t need, size_t *got)
{
    (void)arena;
    if (chunks == 2 || need > 256)
        return NULL;
    *got = 256;
    return chunk[chunks++];
}

static void allocations_are_aligned_and_apart(void **state)
{
    (void)state;
    struct arena arena = { .more = two_chunks };
    chunks = 0;
    char *a = arena_alloc(&arena, 1), *b = arena_alloc(&arena, 17), *c = arena_zalloc(&arena, 224);
    assert_ptr_equal(a, chunk[0]);
    assert_ptr_equal(b, chunk[0] + 8);
    assert_ptr_equal(c, chunk[0] + 32);
    assert_int_equal(arena.total, 256);
    assert_ptr_equal(arena_alloc(&arena, 16), chunk[1]);
    assert_int_equal(arena.total, 512);
    assert_null(arena_alloc(&arena, 241));
    assert_non_null(arena_alloc(&arena, 240));
}

static void impossible_sizes_get_nothing(void **state)
{
    (void)state;
    struct arena arena = { .more = two_chunks };
    chunks = 0;
    assert_null(arena_alloc(&arena, ~0ul));
    assert_null(arena_alloc(&arena, ~0ul - 6));
    assert_null(arena_alloc(&arena, 257));
    struct arena none = { 0 }, refusing = short_arena();
    assert_null(arena_alloc(&none, 1));
    assert_null(arena_zalloc(&refusing, 1));
    assert_null(arena_dup(&refusing, "x"));
}

static void copies_are_ended(void **state)
{
    (void)state;
    struct arena arena;
    test_arena(&arena);
    assert_string_equal(arena_dup(&arena, "word"), "word");
    assert_string_equal(arena_dupn(&arena, "word", 2), "wo");
    assert_string_equal(arena_dupn(&arena, "", 0), "");
    char *zeros = arena_zalloc(&arena, 100);
    for (u32 i = 0; i < 100; i++)
        assert_int_equal(zeros[i], 0);
    test_arena_free(&arena);
}

int main(void)
{
    TEST(allocations_are_aligned_and_apart);
    TEST(impossible_sizes_get_nothing);
    TEST(copies_are_ended);
    return tests_run("arena");
}
