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

static const struct near { const char *name, *a, *b; u32 edits; bool good; } nears[] = {
    { "near_equal", "abc", "abc", 0, true },
    { "near_both_empty", "", "", 0, true },
    { "near_one_more", "abc", "abxc", 1, true },
    { "near_one_less_at_the_end", "abcd", "abc", 1, true },
    { "near_one_less_at_the_start", "abcd", "bcd", 1, true },
    { "near_another", "abc", "axc", 1, true },
    { "near_exchanged", "abcd", "acbd", 1, true },
    { "near_exchanged_at_the_end", "abcd", "abdc", 1, true },
    { "near_of_nothing", "", "a", 1, true },
    { "near_two_edits_are_not_one", "abcd", "axcx", 1, false },
    { "near_two_edits", "abcd", "axcx", 2, true },
    { "near_three_are_not_two", "abcdef", "xbxdxf", 2, false },
    { "near_moved_by_two", "abc", "cab", 2, true },
    { "near_none_allowed", "abc", "abd", 0, false },
};

static void near_is(void **state)
{
    const struct near *row = *state;
    assert_int_equal(str_near(row->a, row->b, row->edits), row->good);
    assert_int_equal(str_near(row->b, row->a, row->edits), row->good);
}

/* In ascending order: each before every later one. */
static void numbers_in_names_are_compared_by_value(void **state)
{
    static const char *const ascending[] = { "", "GLIBC_", "GLIBC_2", "GLIBC_2.4", "GLIBC_2.09.1", "GLIBC_2.36", "GLIBC_2.36.1", "GLIBC_3", "GLIBC_99999999999999999999", "GLIBX" };
    (void)state;
    for (u32 i = 0; i < sizeof ascending / sizeof ascending[0]; i++)
        for (u32 k = 0; k < sizeof ascending / sizeof ascending[0]; k++) {
            int order = str_compare_numbered(ascending[i], ascending[k]);
            assert_int_equal(order < 0 ? -1 : order > 0, i < k ? -1 : i > k);
        }
}

int main(void)
{
    ROWS(numbers, number_is);
    ROWS(nears, near_is);
    TEST(numbers_in_names_are_compared_by_value);
    TEST(strings_are_searched);
    return tests_run("str");
}
