/* report.c: problems handed on, and a text and a field for every code. */
#include <errno.h>

#include "elfgen.h"

static void problems_reach_the_report(void **state)
{
    (void)state;
    test_problems = 0;
    assert_int_equal(report_values(&test_report, LDR_E_SHORT, "o", 1, 2, 3), -LDR_E_SHORT);
    assert_int_equal(test_problem.code, LDR_E_SHORT);
    assert_int_equal(test_problem.found, 1);
    assert_int_equal(test_problem.expected, 2);
    assert_int_equal(test_problem.place, 3);
    assert_true(test_problem.has_values);
    test_problems = 0;
    assert_int_equal(report_errno(&test_report, LDR_E_OPEN, "o", ENOENT), -LDR_E_OPEN);
    assert_int_equal(test_problem.sys_errno, ENOENT);
    assert_int_equal(report_values(NULL, LDR_E_SHORT, "o", 0, 0, 0), -LDR_E_SHORT);
    struct report silent = { 0 };
    assert_int_equal(report_values(&silent, LDR_E_SHORT, "o", 0, 0, 0), -LDR_E_SHORT);
}

static void every_code_has_words(void **state)
{
    (void)state;
    for (int code = 1; code < LDR_E_COUNT; code++) {
        assert_true(strlen(ldr_error_text(code)) > 8);
        assert_true(strlen(ldr_error_field(code)) > 2);
    }
    assert_string_equal(ldr_error_text(LDR_E_COUNT), "unknown error");
    assert_string_equal(ldr_error_text(-1), "unknown error");
    assert_string_equal(ldr_error_field(0), "");
}

static void errnos_have_the_c_librarys_words(void **state)
{
    (void)state;
    for (int e = 1; e < 134; e++)
        if (strcmp(errno_text(e), "Unknown error") != 0)
            assert_string_equal(errno_text(e), strerror(e));
    assert_string_equal(errno_text(ENOENT), "No such file or directory");
}

int main(void)
{
    TEST(problems_reach_the_report);
    TEST(every_code_has_words);
    TEST(errnos_have_the_c_librarys_words);
    return tests_run("report");
}
