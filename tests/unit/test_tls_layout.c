/* tls_layout.c: blocks below the thread pointer, aligned as their images are. */
#include "elfgen.h"

static const struct row {
    const char *name;
    u64 used, memsz, align, vaddr;
    u64 offset, align_after;          /* offset 0: overflow, refused */
} rows[] = {
    { "first_block_ends_at_the_thread_pointer", 0, 16, 16, 0x1000, 16, 64 },
    { "a_block_is_rounded_up_to_its_alignment", 0, 17, 16, 0x1000, 32, 64 },
    { "blocks_follow_downwards", 16, 16, 16, 0x1000, 32, 64 },
    { "alignment_leaves_a_gap", 8, 8, 64, 0x1000, 64, 64 },
    { "alignment_1_leaves_none", 13, 5, 1, 0x1003, 18, 64 },
    { "an_address_off_its_alignment_keeps_the_difference", 0, 16, 16, 0x1008, 24, 64 },
    { "an_address_off_by_one", 0, 1, 16, 0x1001, 15, 64 },
    { "an_address_off_by_15", 0, 16, 16, 0x100f, 17, 64 },
    { "a_large_alignment_raises_the_thread_pointers", 0, 8, 4096, 0x2000, 4096, 4096 },
    { "a_small_block_before_the_first_boundary", 0, 4, 64, 0x103c, 4, 64 },
    { "a_size_that_wraps_is_refused", 16, ~0ull - 8, 16, 0, 0, 64 },
    { "an_end_too_near_the_top_is_refused", 0, ~0ull - 15, 64, 0, 0, 64 },
};

static void block_is_placed(void **state)
{
    const struct row *row = *state;
    struct tls_layout layout = { .used = row->used, .align = 64 };
    u64 offset = 0;
    assert_int_equal(tls_place(&layout, row->memsz, row->align, row->vaddr, &offset), row->offset != 0);
    if (row->offset) {
        assert_int_equal(offset, row->offset);
        assert_int_equal(layout.used, offset);
        assert_int_equal(layout.align, row->align_after);
    } else {
        assert_int_equal(layout.used, row->used);
    }
}

/* Any sequence: blocks do not overlap, each keeps its congruence, and no gap is larger than its alignment asks for. */
static void any_sequence_keeps_the_rules(void **state)
{
    (void)state;
    u32 x = 1;
    for (u32 run = 0; run < 2000; run++) {
        struct tls_layout layout = { .align = 64 };
        for (u32 i = 0; i < 12; i++) {
            x = x * 1664525 + 1013904223;
            u64 align = 1ull << (x >> 28), memsz = (x >> 8 & 0x3ff) + 1, vaddr = x >> 3 & 0xffff, before = layout.used, offset;
            assert_true(tls_place(&layout, memsz, align, vaddr, &offset));
            assert_true(offset >= before + memsz && offset < before + memsz + align);
            assert_int_equal((vaddr + offset) & (align - 1), 0);
            assert_true(layout.align >= align);
        }
    }
}

int main(void)
{
    ROWS(rows, block_is_placed);
    TEST(any_sequence_keeps_the_rules);
    return tests_run("tls_layout");
}
