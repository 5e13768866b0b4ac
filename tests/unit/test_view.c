/* view.c: which bytes exist at an address, by both rules. */
#include "elfgen.h"

static const u8 bytes[0x3000];
static const struct segment segments[] = {
    { .vaddr = 0x1000, .file_end = 0x1100, .mem_end = 0x1200, .off = 0x10, .prot = PF_R },
    { .vaddr = 0x2000, .file_end = 0x2100, .mem_end = 0x2100, .off = 0x200, .prot = PF_X },
    { .vaddr = 0x3000, .file_end = 0x3100, .mem_end = 0x3100, .off = 0x300, .prot = PF_W },
};
static const struct plan plan = { .seg = segments, .seg_count = ARRAY_COUNT(segments) };

static const struct row {
    const char *name;
    enum view_rule rule;
    u64 vaddr, len;
    i64 at;                           /* expected offset from bytes; -1: nothing */
    u64 extent;
} rows[] = {
    { "file_bytes_are_at_their_offset", VIEW_FILE, 0x1000, 1, 0x10, 0x100 },
    { "file_bytes_end_with_the_file_part", VIEW_FILE, 0x1000, 0x100, 0x10, 0x100 },
    { "file_bytes_are_not_zero_filled", VIEW_FILE, 0x1000, 0x101, -1, 0x100 },
    { "file_has_no_bytes_in_the_zero_filled_part", VIEW_FILE, 0x1100, 1, -1, 0 },
    { "memory_is_at_its_address", VIEW_MEMORY, 0x1000, 1, 0x1000, 0x200 },
    { "memory_is_zero_filled", VIEW_MEMORY, 0x11ff, 1, 0x11ff, 1 },
    { "memory_ends_with_the_segment", VIEW_MEMORY, 0x1000, 0x201, -1, 0x200 },
    { "lengths_cannot_wrap", VIEW_MEMORY, 0x1010, ~0ull, -1, 0x1f0 },
    { "before_the_first_segment_is_nothing", VIEW_MEMORY, 0xfff, 1, -1, 0 },
    { "between_segments_is_nothing", VIEW_MEMORY, 0x1200, 1, -1, 0 },
    { "a_length_of_0_needs_a_segment_too", VIEW_MEMORY, 0x1200, 0, -1, 0 },
    { "execute_only_is_not_readable", VIEW_MEMORY, 0x2000, 1, -1, 0 },
    { "execute_only_is_not_readable_in_files", VIEW_FILE, 0x2000, 1, -1, 0 },
    { "writable_is_readable", VIEW_MEMORY, 0x3000, 8, 0x3000, 0x100 },
};

static void view_gives(void **state)
{
    const struct row *row = *state;
    struct view view = { bytes, &plan, row->rule };
    const void *at = view_at(&view, row->vaddr, row->len);
    assert_ptr_equal(at, row->at < 0 ? NULL : (const void *)((u64)bytes + (u64)row->at));
    assert_int_equal(view_extent(&view, row->vaddr), row->extent);
}

int main(void)
{
    ROWS(rows, view_gives);
    return tests_run("view");
}
