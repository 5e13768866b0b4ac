/* Which segment is at an address? Tables of mappings against hand-made program headers. */
#include "../../../tools/pages/pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { R = ACCESS_READ, RW = ACCESS_READ | ACCESS_WRITE, RX = ACCESS_READ | ACCESS_EXEC };

/* GNU ld, -z separate-code: file page 4 is the last of the constants and the first of the data. */
static struct load gnu_loads[] = {
    { 0x0, 0x0, 0x800, R }, { 0x1000, 0x1000, 0x1f00, RX }, { 0x3000, 0x3000, 0x1400, R }, { 0x5c00, 0x4c00, 0x2900, RW },
};
static const struct shape gnu = { true, gnu_loads, 4, 0x5c00, 0x1400 }; /* RELRO ends at 0x7000 */

/* lld: every boundary is inside a page of the file, so code begins in the page the constants end in. */
static struct load lld_loads[] = {
    { 0x0, 0x0, 0x5f8, R }, { 0x1600, 0x600, 0x1200, RX }, { 0x3800, 0x1800, 0x1a0, RW }, { 0x49a0, 0x19a0, 0x800, RW },
};
static const struct shape lld = { true, lld_loads, 4, 0x3800, 0x1000 }; /* ends at 0x4800: page 3 only */

static struct load fixed_loads[] = { { 0x400000, 0x0, 0x1000, R }, { 0x401000, 0x1000, 0x1000, RX } };
static const struct shape fixed = { true, fixed_loads, 2, 0, 0 };

static struct load odd_loads[] = {
    { 0x0, UINT64_MAX - 10, 0x100, R }, /* the file range wraps */
    { 0x1000, 0x1000, 0, RW },          /* nothing of the file */
};
static const struct shape odd = { true, odd_loads, 2, UINT64_MAX - 5, 0x1000 };

struct kind_case {
    const char *name;
    const struct shape *shape;
    uint64_t bias, addr, off, max;
    enum segment_kind kind;
    uint64_t len;
};

static const struct kind_case kind_cases[] = {
    { "first page", &gnu, 0x7f0000000000, 0x7f0000000000, 0, 0x1000, SEGMENT_CONSTANTS, 0x1000 },
    { "code, whole", &gnu, 0x7f0000000000, 0x7f0000001000, 0x1000, 0x2000, SEGMENT_CODE, 0x2000 },
    { "code, cut by the mapping", &gnu, 0x7f0000000000, 0x7f0000001000, 0x1000, 0x1000, SEGMENT_CODE, 0x1000 },
    { "constants end where the file range ends", &gnu, 0, 0x3000, 0x3000, 0x9000, SEGMENT_CONSTANTS, 0x2000 },
    { "file page 4 as constants", &gnu, 0x10000, 0x14000, 0x4000, 0x1000, SEGMENT_CONSTANTS, 0x1000 },
    { "file page 4 as RELRO", &gnu, 0x10000, 0x15000, 0x4000, 0x4000, SEGMENT_RELRO, 0x2000 },
    { "data after RELRO", &gnu, 0x10000, 0x17000, 0x6000, 0x2000, SEGMENT_DATA, 0x2000 },
    { "right page, wrong file offset", &gnu, 0x10000, 0x11000, 0x3000, 0x1000, SEGMENT_OTHER, 0x1000 },
    { "gap between segments", &gnu, 0x10000, 0x20000, 0x10000, 0x5000, SEGMENT_OTHER, 0x1000 },
    { "lld: file page 0 as code", &lld, 0, 0x1000, 0, 0x2000, SEGMENT_CODE, 0x2000 },
    { "lld: RELRO keeps whole pages only", &lld, 0, 0x3000, 0x1000, 0x2000, SEGMENT_RELRO, 0x1000 },
    { "lld: data", &lld, 0, 0x4000, 0x1000, 0x2000, SEGMENT_DATA, 0x2000 },
    { "fixed address", &fixed, 0, 0x401000, 0x1000, 0x1000, SEGMENT_CODE, 0x1000 },
    { "wrapping sizes match nothing", &odd, 0, 0x0, 0x0, 0x1000, SEGMENT_OTHER, 0x1000 },
    { "an empty PT_LOAD matches nothing", &odd, 0, 0x1000, 0x1000, 0x1000, SEGMENT_OTHER, 0x1000 },
};

static void kind_at_follows_the_program_headers(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof kind_cases / sizeof kind_cases[0]; i++) {
        const struct kind_case *c = &kind_cases[i];
        uint64_t len;
        enum segment_kind kind = shape_kind_at(c->shape, c->bias, c->addr, c->off, c->max, &len);
        if (kind != c->kind || len != c->len)
            fail_msg("%s: %s of 0x%lx bytes, expected %s of 0x%lx", c->name, segment_name(kind), len, segment_name(c->kind), c->len);
    }
}

struct bias_case {
    const char *name;
    const struct shape *shape;
    struct vma vma;
    bool found;
    uint64_t bias;
};

static const struct bias_case bias_cases[] = {
    { "first mapping", &gnu, { 0x7f0000000000, 0x7f0000001000, 0, R, 0 }, true, 0x7f0000000000 },
    { "middle of the code", &gnu, { 0x7f0000002000, 0x7f0000003000, 0x2000, RX, 0 }, true, 0x7f0000000000 },
    { "file page 4 readable: constants", &gnu, { 0x14000, 0x15000, 0x4000, R, 0 }, true, 0x10000 },
    { "file page 4 writable: data", &gnu, { 0x15000, 0x16000, 0x4000, RW, 0 }, true, 0x10000 },
    { "no segment has equal access: the first in the file", &gnu, { 0x14000, 0x15000, 0x4000, 0, 0 }, true, 0x10000 },
    { "fixed address", &fixed, { 0x401000, 0x402000, 0x1000, RX, 0 }, true, 0 },
    { "beyond every segment", &gnu, { 0x14000, 0x15000, 0x9000, R, 0 }, false, 0 },
    { "wrapping sizes", &odd, { 0x14000, 0x15000, 0, R, 0 }, false, 0 },
};

static void bias_is_found_from_one_mapping(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bias_cases / sizeof bias_cases[0]; i++) {
        const struct bias_case *c = &bias_cases[i];
        uint64_t bias = 0;
        bool found = shape_find_bias(c->shape, &c->vma, &bias);
        if (found != c->found || (found && bias != c->bias))
            fail_msg("%s: %s 0x%lx, expected %s 0x%lx", c->name, found ? "found" : "none", bias, c->found ? "found" : "none", c->bias);
        if (found && !shape_explains(c->shape, bias, &c->vma))
            fail_msg("%s: the bias found does not explain the mapping", c->name);
    }
}

static void a_bias_explains_only_its_own_image(void **state) {
    (void)state;
    struct vma code = { 0x11000, 0x13000, 0x1000, RX, 0 };
    assert_true(shape_explains(&gnu, 0x10000, &code));
    assert_false(shape_explains(&gnu, 0x20000, &code));
}

static void without_headers_the_permissions_decide(void **state) {
    (void)state;
    assert_int_equal(kind_by_access(RX), SEGMENT_CODE);
    assert_int_equal(kind_by_access(RW), SEGMENT_DATA);
    assert_int_equal(kind_by_access(R), SEGMENT_CONSTANTS);
}

/* Where .bss follows, the linker clears the rest of the last page of the file data; nowhere else. */
static void data_len_ends_where_bss_begins(void **state) {
    (void)state;
    struct load loads[] = { { 0, 0, 0x1234, 5, 0x1234 }, { 0x3010, 0x2010, 0x2100, 6, 0x9000 }, { 0xd000, 0x5000, 0x1000, 6, 0x1800 } };
    struct shape shape = { .known = true, .loads = loads, .load_count = 3 };
    assert_int_equal(shape_data_len(&shape, 0x1000), PAGE_LEN); /* no .bss: the file's own bytes stay */
    assert_int_equal(shape_data_len(&shape, 0x3000), PAGE_LEN);
    assert_int_equal(shape_data_len(&shape, 0x5000), 0x110);
    assert_int_equal(shape_data_len(&shape, 0x6000), PAGE_LEN);
    assert_int_equal(shape_data_len(&shape, 0xd000), PAGE_LEN); /* full to the last byte */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kind_at_follows_the_program_headers),
        cmocka_unit_test(bias_is_found_from_one_mapping),
        cmocka_unit_test(a_bias_explains_only_its_own_image),
        cmocka_unit_test(without_headers_the_permissions_decide),
        cmocka_unit_test(data_len_ends_where_bss_begins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
