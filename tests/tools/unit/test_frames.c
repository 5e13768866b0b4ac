/* The frame set: owners are counted once, rows are remembered, growth loses nothing. */
#include "../../../tools/pages/pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static uint32_t owners_of(const struct frame_set *set, uint64_t key) {
    const struct frame *frame = frame_find(set, &(struct frame_cursor){ 0 }, key);
    return frame ? frame_owners(set, frame) : 0;
}

static void each_page_is_first_again_or_avoided(void **state) {
    (void)state;
    struct frame_set set = { 0 };
    struct frame_cursor at = { 0 };
    assert_int_equal(frame_add(&set, &at, 7, 0, 0, false, CAUSE_UNKNOWN), FRAME_FIRST);
    assert_int_equal(frame_add(&set, &at, 7, 0, 0, false, CAUSE_UNKNOWN), FRAME_AGAIN);
    assert_int_equal(frame_add(&set, &at, 7, 1, 0, false, CAUSE_UNKNOWN), FRAME_AVOIDED);
    assert_int_equal(frame_add(&set, &at, 7, 1, 0, false, CAUSE_UNKNOWN), FRAME_AGAIN);
    assert_int_equal(frame_add(&set, &at, 7, 2, 0, false, CAUSE_UNKNOWN), FRAME_AVOIDED);
    assert_int_equal(owners_of(&set, 7), 3);
    assert_int_equal(set.count, 1);
    assert_null(frame_find(&set, &(struct frame_cursor){ 0 }, 8));
    frame_set_free(&set);
}

static void key_zero_is_a_key(void **state) {
    (void)state;
    struct frame_set set = { 0 };
    struct frame_cursor at = { 0 };
    assert_null(frame_find(&set, &(struct frame_cursor){ 0 }, 0));
    assert_int_equal(frame_add(&set, &at, 0, 0, 0, true, CAUSE_UNKNOWN), FRAME_FIRST);
    assert_true(frame_find(&set, &(struct frame_cursor){ 0 }, 0)->anonymous);
    frame_set_free(&set);
}

static void further_rows_are_noted_once(void **state) {
    (void)state;
    struct frame_set set = { 0 };
    struct frame_cursor at = { 0 };
    for (uint32_t owner = 0; owner < 3; owner++)
        for (uint32_t row = 4; row < 7; row++)
            frame_add(&set, &at, 7, owner, row, false, CAUSE_UNKNOWN);
    assert_int_equal(frame_find(&set, &(struct frame_cursor){ 0 }, 7)->row, 4);
    assert_int_equal(set.more_count, 2);
    frame_set_free(&set);
}

static void growth_keeps_owners_and_rows(void **state) {
    (void)state;
    enum { FRAMES = 100000 };
    struct frame_set set = { 0 };
    struct frame_cursor at = { 0 };
    for (uint32_t owner = 0; owner < 3; owner++)
        for (uint64_t key = owner; key < FRAMES; key++) {
            frame_add(&set, &at, key << 3, owner, 0, false, CAUSE_UNKNOWN);
            if (key % 10 == 0)
                frame_add(&set, &at, key << 3, owner, 1, false, CAUSE_UNKNOWN);
        }
    assert_int_equal(set.count, FRAMES);
    assert_int_equal(set.more_count, FRAMES / 10);
    for (uint64_t key = 0; key < FRAMES; key++)
        assert_int_equal(owners_of(&set, key << 3), key < 2 ? key + 1 : 3);
    frame_set_free(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_page_is_first_again_or_avoided),
        cmocka_unit_test(key_zero_is_a_key),
        cmocka_unit_test(further_rows_are_noted_once),
        cmocka_unit_test(growth_keeps_owners_and_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
