/* test_text.c - bytes of names as UTF-8. What is expected is what Python's decoder makes of the same bytes
 * (errors="backslashreplace"), which decides independently what is a character. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../../tools/ldr.h"

static void bytes_of_no_character_are_written_as_hexadecimal(void **state) {
    (void)state;
    static const struct { const char *bytes, *text; } rows[] = {
        { "plain", "plain" },
        { "\303\274ber \346\227\245 \360\237\231\202", "\303\274ber \346\227\245 \360\237\231\202" },
        { "\377", "\\xff" },
        { "a\303", "a\\xc3" },
        { "a\303b", "a\\xc3b" },
        { "\300\257", "\\xc0\\xaf" },
        { "\340\200\257", "\\xe0\\x80\\xaf" },
        { "\340\237\277", "\\xe0\\x9f\\xbf" },
        { "\355\240\200", "\\xed\\xa0\\x80" },
        { "\355\237\277", "\355\237\277" },
        { "\360\217\277\277", "\\xf0\\x8f\\xbf\\xbf" },
        { "\364\217\277\277", "\364\217\277\277" },
        { "\364\220\200\200", "\\xf4\\x90\\x80\\x80" },
        { "\370\210\200\200\200", "\\xf8\\x88\\x80\\x80\\x80" },
        { "\346\227", "\\xe6\\x97" },
        { "\346\227a\245", "\\xe6\\x97a\\xa5" },
        { "\360\237\231", "\\xf0\\x9f\\x99" },
        { "\200\277", "\\x80\\xbf" },
        { "\302\200", "\302\200" },
        { "\357\277\277", "\357\277\277" },
        { "\\xff", "\\xff" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *text = text_utf8(rows[i].bytes);
        assert_string_equal(text, rows[i].text);
        free(text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(bytes_of_no_character_are_written_as_hexadecimal) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
