/* str.c: the few string questions. */
#include "elfgen.h"

static const struct number { const char *name, *text; bool good; u64 value; } numbers[] = {
    { "number_0", "0", true, 0 },
    { "number_decimal", "1234567890", true, 1234567890 },
    { "number_hex", "0xFf", true, 255 },
    { "number_octal", "017", true, 15 },
    { "number_largest", "18446744073709551615", true, ~0ull },
    { "number_one_too_large", "18446744073709551616", false, 0 },
    { "number_hex_too_large", "0x10000000000000000", false, 0 },
    { "number_empty", "", false, 0 },
    { "number_hex_without_digits", "0x", false, 0 },
    { "number_octal_with_8", "08", false, 0 },
    { "number_with_a_letter", "12a", false, 0 },
    { "number_negative", "-1", false, 0 },
};

static void number_is(void **state)
{
    const struct number *row = *state;
    u64 value = 77;
    assert_int_equal(str_u64(row->text, &value), row->good);
    assert_int_equal(value, row->good ? row->value : 77);
}

static void strings_are_searched(void **state)
{
    (void)state;
    assert_true(str_equal("", ""));
    assert_false(str_equal("a", "ab"));
    assert_true(str_starts("abc", "ab"));
    assert_true(str_starts("abc", ""));
    assert_false(str_starts("a", "ab"));
    assert_string_equal(str_chr("a/b/c", '/'), "/b/c");
    assert_null(str_chr("abc", '/'));
    assert_string_equal(str_chr("abc", 0), "");
    assert_string_equal(str_rchr("a/b/c", '/'), "/c");
    assert_null(str_rchr("", '/'));
    assert_string_equal(str_base("/a/b"), "b");
    assert_string_equal(str_base("b"), "b");
    assert_string_equal(str_base("a/"), "");
}

int main(void)
{
    ROWS(numbers, number_is);
    TEST(strings_are_searched);
    return tests_run("str");
}
