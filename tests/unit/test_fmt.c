/* fmt.c: bounded text. */
#include "elfgen.h"

static const struct row { const char *name; u64 value; const char *dec, *hex, *wide; } rows[] = {
    { "zero", 0, "0", "0x0", "0x0000000000000000" },
    { "ten", 10, "10", "0xa", "0x000000000000000a" },
    { "page", 0x1000, "4096", "0x1000", "0x0000000000001000" },
    { "largest", ~0ull, "18446744073709551615", "0xffffffffffffffff", "0xffffffffffffffff" },
};

static void numbers_are_written(void **state)
{
    const struct row *row = *state;
    char room[64];
    struct text t = text_on(room, sizeof room);
    text_dec(&t, row->value);
    assert_string_equal(room, row->dec);
    t = text_on(room, sizeof room);
    text_hex(&t, row->value);
    assert_string_equal(room, row->hex);
    t = text_on(room, sizeof room);
    text_hex_wide(&t, row->value);
    assert_string_equal(room, row->wide);
    assert_false(t.cut);
}

static void text_is_cut_where_room_ends(void **state)
{
    (void)state;
    char *room = malloc(4);
    struct text t = text_on(room, 4);
    text_put(&t, "ab");
    assert_false(t.cut);
    text_put(&t, "cd");
    assert_true(t.cut);
    assert_string_equal(room, "abc");
    text_char(&t, 'x');
    text_putn(&t, "yz", 2);
    assert_string_equal(room, "abc");
    assert_int_equal(t.len, 3);
    t = text_on(room, 1);
    text_char(&t, 'x');
    assert_string_equal(room, "");
    free(room);
}

int main(void)
{
    ROWS(rows, numbers_are_written);
    TEST(text_is_cut_where_room_ends);
    return tests_run("fmt");
}
