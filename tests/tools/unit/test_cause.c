/* Pages made by hand: file words, relocated places, what memory holds, and the cause that must come out. */
#include "../../../tools/pages/cause.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { PAGE = CAUSE_WORDS * 8, END = CAUSE_WORDS };
#define BIAS UINT64_C(0x7f0000000000)
#define VADDR UINT64_C(0x3000)

enum place_kind { NO_PLACE, SYMBOLIC, RELATIVE };

/* One word that differs from the default (file 0x1111, memory the same, no place). */
struct word {
    size_t index; /* END: no more */
    uint64_t file;
    enum place_kind kind;
    uint64_t linked; /* of RELATIVE */
    uint64_t memory;
};

struct row {
    const char *name;
    size_t data_len;
    struct word words[4];
    enum page_cause expected;
};

#define LAST { .index = END }
static const struct row rows[] = {
    { "nothing differs", PAGE, { LAST }, CAUSE_IDENTICAL },
    { "places that hold what the file has", PAGE, { { 3, 7, SYMBOLIC, 0, 7 }, { 4, 8, RELATIVE, 8, 8 }, LAST }, CAUSE_IDENTICAL },
    { "a symbolic word has any value", PAGE, { { 0, 0, SYMBOLIC, 0, 0xabcdef }, LAST }, CAUSE_RELOCATION },
    { "the last word", PAGE, { { 511, 0, SYMBOLIC, 0, 0xabcdef }, LAST }, CAUSE_RELOCATION },
    { "a relative word as relocation leaves it", PAGE, { { 64, 0, RELATIVE, 0x40, BIAS + 0x40 }, LAST }, CAUSE_RELOCATION },
    { "a relative word with another value", PAGE, { { 64, 0, RELATIVE, 0x40, BIAS + 0x48 }, LAST }, CAUSE_RELOCATION_AND_WRITE },
    { "a relative word set back to the file's value, beside a relocated one", PAGE,
      { { 1, 0, RELATIVE, 0x40, 0 }, { 511, 0, RELATIVE, 0x48, BIAS + 0x48 }, LAST }, CAUSE_RELOCATION_AND_WRITE },
    { "a relative word set back before the relocated one is met", PAGE,
      { { 500, 0, RELATIVE, 0x40, 0 }, { 2, 0, SYMBOLIC, 0, 0x48 }, LAST }, CAUSE_RELOCATION_AND_WRITE },
    { "relative words not relocated, one word written", PAGE, { { 1, 0, RELATIVE, 0x40, 0 }, { 9, 1, NO_PLACE, 0, 2 }, LAST }, CAUSE_WRITE },
    { "a word without place", PAGE, { { 9, 1, NO_PLACE, 0, 2 }, LAST }, CAUSE_WRITE },
    { "one bit of the last word", PAGE, { { 511, 0, NO_PLACE, 0, UINT64_C(1) << 63 }, LAST }, CAUSE_WRITE },
    { "relocated and, elsewhere, written", PAGE, { { 9, 1, NO_PLACE, 0, 2 }, { 70, 0, SYMBOLIC, 0, 5 }, LAST }, CAUSE_RELOCATION_AND_WRITE },
    { "written after the relocated word", PAGE, { { 70, 0, SYMBOLIC, 0, 5 }, { 400, 1, NO_PLACE, 0, 2 }, LAST }, CAUSE_RELOCATION_AND_WRITE },
    { "written to zero inside the data", PAGE, { { 9, 1, NO_PLACE, 0, 0 }, LAST }, CAUSE_WRITE },
    { "cleared after the data", 511 * 8, { { 511, 0x6666, NO_PLACE, 0, 0 }, LAST }, CAUSE_RELOCATION },
    { "cleared inside the word where the data end", 511 * 8 + 2, { { 511, 0x22221111, NO_PLACE, 0, 0x1111 }, LAST }, CAUSE_RELOCATION },
    { "cleared, and the data's part of the word written", 511 * 8 + 2, { { 511, 0x22221111, NO_PLACE, 0, 0x1112 }, LAST }, CAUSE_WRITE },
    { "a variable of .bss written after the data", 510 * 8,
      { { 510, 0, NO_PLACE, 0, 9 }, { 511, 0, NO_PLACE, 0, 0 }, LAST }, CAUSE_WRITE },
    { "cleared, and a variable of .bss written", 510 * 8,
      { { 510, 5, NO_PLACE, 0, 9 }, { 511, 5, NO_PLACE, 0, 0 }, LAST }, CAUSE_RELOCATION_AND_WRITE },
    { "a variable of .data written, and behind it cleared", 62 * 8,
      { { 61, 5, NO_PLACE, 0, 9 }, { 63, 5, NO_PLACE, 0, 0 }, LAST }, CAUSE_RELOCATION_AND_WRITE },
    { "a byte after one byte of data", 1, { { 0, 0x2211, NO_PLACE, 0, 0x11 }, { 1, 0, NO_PLACE, 0, 0 }, LAST }, CAUSE_RELOCATION },
};

static void classification_table(void **state) {
    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        const struct row *row = &rows[r];
        uint64_t file[CAUSE_WORDS], memory[CAUSE_WORDS];
        struct places places = { 0 };
        for (size_t i = 0; i < CAUSE_WORDS; i++)
            file[i] = memory[i] = i * 8 < row->data_len ? 0x1111 : 0;
        for (const struct word *word = row->words; word->index != END; word++) {
            file[word->index] = word->file;
            memory[word->index] = word->memory;
            if (word->kind == SYMBOLIC)
                places_add(&places, VADDR + word->index * 8, 8);
            if (word->kind == RELATIVE)
                places_add_relative(&places, VADDR + word->index * 8, word->linked);
        }
        enum page_cause cause = cause_of(memory, file, row->data_len, places_at(&places, VADDR), BIAS);
        if (cause != row->expected)
            fail_msg("%s: cause %d, expected %d", row->name, cause, row->expected);
        struct cause_words words;
        cause = cause_words(memory, file, row->data_len, places_at(&places, VADDR), BIAS, &words);
        if (cause != row->expected)
            fail_msg("%s: word by word cause %d, expected %d", row->name, cause, row->expected);
        uint64_t any = 0;
        for (size_t group = 0; group < CAUSE_WORDS / 64; group++)
            any |= words.written[group];
        if (!any == (cause == CAUSE_WRITE || cause == CAUSE_RELOCATION_AND_WRITE))
            fail_msg("%s: cause %d, and written words %s", row->name, cause, any ? "told" : "not told");
        places_free(&places);
    }
}

/* A random page: the cause is known from what was done to it. */
static void random_pages(void **state) {
    (void)state;
    srand(7);
    for (int round = 0; round < 2000; round++) {
        uint64_t file[CAUSE_WORDS], memory[CAUSE_WORDS];
        struct places places = { 0 };
        for (size_t i = 0; i < CAUSE_WORDS; i++)
            file[i] = memory[i] = (uint64_t)rand();
        bool relocated = rand() % 2, written = rand() % 2;
        for (int n = rand() % 4 + 1; relocated && n; n--) {
            size_t word = (size_t)rand() % 256;
            uint64_t linked = (uint64_t)rand();
            places_add_relative(&places, VADDR + word * 8, linked);
            memory[word] = linked + BIAS;
        }
        uint64_t expected_words[CAUSE_WORDS / 64] = { 0 };
        for (int n = rand() % 4 + 1; written && n; n--) {
            size_t word = 256 + (size_t)rand() % 256;
            memory[word] = ~(uint64_t)rand();
            expected_words[word / 64] |= UINT64_C(1) << word % 64;
        }
        enum page_cause expected = relocated ? written ? CAUSE_RELOCATION_AND_WRITE : CAUSE_RELOCATION
                                             : written ? CAUSE_WRITE : CAUSE_IDENTICAL;
        enum page_cause found = cause_of(memory, file, PAGE, places_at(&places, VADDR), BIAS);
        /* the same word drawn twice: two relocations, so its value is not knowable, but it stays the linker's */
        assert_int_equal(found, expected);
        struct cause_words words;
        assert_int_equal(cause_words(memory, file, PAGE, places_at(&places, VADDR), BIAS, &words), expected);
        assert_memory_equal(words.written, expected_words, sizeof expected_words);
        for (size_t word = 256; word < CAUSE_WORDS; word++)
            if (expected_words[word / 64] >> word % 64 & 1)
                assert_true(words.linked[word] == file[word]);
        places_free(&places);
    }
}

/* Which words were written, and what the linker had left in them. */
static void words_of_a_page(void **state) {
    (void)state;
    uint64_t file[CAUSE_WORDS] = { [2] = 5, [9] = 0x1111, [511] = 0x77777777 }, memory[CAUSE_WORDS];
    struct places places = { 0 };
    struct cause_words words;
    memcpy(memory, file, sizeof memory);
    places_add(&places, VADDR, 8);               /* 0: symbolic, bound */
    memory[0] = 0xabcd;
    places_add_relative(&places, VADDR + 8, 16); /* 1: as relocation leaves it */
    memory[1] = BIAS + 16;
    places_add_relative(&places, VADDR + 16, 5); /* 2: the file's word again */
    places_add_relative(&places, VADDR + 24, 32);/* 3: elsewhere */
    memory[3] = BIAS + 40;
    memory[9] = 0x1112;
    memory[510] = 4;                             /* .bss, written */
    memory[511] = 0;                             /* cleared */
    size_t data_len = 500 * 8;
    assert_int_equal(cause_words(memory, file, data_len, places_at(&places, VADDR), BIAS, &words), CAUSE_RELOCATION_AND_WRITE);
    assert_true(words.relocated[0] == 0xb && words.written[0] == 0x20c && words.undone[0] == 4);
    assert_true(words.written[7] == UINT64_C(1) << 62);
    assert_true(words.linked[2] == BIAS + 5 && words.linked[3] == BIAS + 32 && words.linked[9] == 0x1111 && words.linked[510] == 0);
    /* not relocated at all: the file's words are no writes */
    memory[0] = memory[1] = memory[3] = 0;
    memory[511] = file[511];
    assert_int_equal(cause_words(memory, file, data_len, places_at(&places, VADDR), BIAS, &words), CAUSE_WRITE);
    assert_true(words.written[0] == 0x200 && words.undone[0] == 0xe && words.written[7] == UINT64_C(1) << 62);
    places_free(&places);
}

static void places_cross_words_and_pages(void **state) {
    (void)state;
    struct places places = { 0 };
    assert_null(places_at(&places, 0));
    places_add(&places, 0x1ffc, 8);            /* last word of one page, first of the next */
    places_add(&places, 0x4000, 16);
    places_add_relative(&places, 0x5004, 1);   /* not aligned: both words, no value */
    places_add(&places, UINT64_MAX - 3, 8);    /* wraps: nothing */
    places_add(&places, 0x9000, 0);
    assert_int_equal(places.count, 4);
    assert_true(places_at(&places, 0x1000)->relocated[7] == UINT64_C(1) << 63);
    assert_true(places_at(&places, 0x2abc)->relocated[0] == 1);
    assert_true(places_at(&places, 0x4000)->relocated[0] == 3);
    assert_true(places_at(&places, 0x5000)->relocated[0] == 3 && places_at(&places, 0x5000)->relative[0] == 0);
    assert_null(places_at(&places, 0x3000));
    places_free(&places);
}

static void two_relocations_of_a_word_leave_no_known_value(void **state) {
    (void)state;
    struct places places = { 0 };
    places_add_relative(&places, 0x1000, 1);
    places_add(&places, 0x1000, 8);
    places_add(&places, 0x1008, 4);
    places_add_relative(&places, 0x1008, 1);
    places_add_relative(&places, 0x1010, 1);
    assert_true(places_at(&places, 0x1000)->relocated[0] == 7);
    assert_true(places_at(&places, 0x1000)->relative[0] == 4);
    places_free(&places);
}

static void many_pages(void **state) {
    (void)state;
    struct places places = { 0 };
    for (uint64_t page = 0; page < 3000; page++)
        places_add_relative(&places, page * 3 * PAGE + page % 512 * 8, page);
    assert_int_equal(places.count, 3000);
    for (uint64_t page = 0; page < 3000; page++)
        assert_int_equal(places_at(&places, page * 3 * PAGE)->linked[page % 512], page);
    assert_null(places_at(&places, PAGE));
    places_free(&places);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classification_table),
        cmocka_unit_test(random_pages),
        cmocka_unit_test(words_of_a_page),
        cmocka_unit_test(places_cross_words_and_pages),
        cmocka_unit_test(two_relocations_of_a_word_leave_no_known_value),
        cmocka_unit_test(many_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
