/* plan.c: PT_LOAD entries as mapping steps. */
#include "rows.h"

#define CODE(field, value, code, place) PHDR(GEN_LOAD_RX, field), (value), (code), (place)
static const struct row rows[] = {
    { "plan_rejects_a_file_without_loads", EHDR(e_phnum), 0, LDR_E_NO_LOAD, 0 },
    { "plan_rejects_an_alignment_that_is_no_power_of_two", CODE(p_align, 0x3000, LDR_E_LOAD_ALIGN, GEN_CODE) },
    { "plan_rejects_an_alignment_below_a_page", CODE(p_align, 0x800, LDR_E_LOAD_ALIGN, GEN_CODE) },
    { "plan_accepts_alignment_0", CODE(p_align, 0, 0, 0) },
    { "plan_rejects_an_offset_not_congruent_to_its_address", CODE(p_offset, GEN_CODE + 8, LDR_E_LOAD_CONGRUENT, GEN_CODE) },
    { "plan_rejects_more_file_than_memory", CODE(p_filesz, GEN_CODE_LEN + 1, LDR_E_LOAD_SIZE, GEN_CODE) },
    { "plan_rejects_addresses_that_wrap", CODE(p_memsz, ~0ull, LDR_E_LOAD_SPAN, GEN_CODE) },
    { "plan_rejects_a_span_of_more_than_user_space", CODE(p_memsz, 1ull << 47, LDR_E_LOAD_SPAN, GEN_CODE) },
    { "plan_rejects_offsets_that_wrap", CODE(p_offset, ~0xfffull, LDR_E_LOAD_RANGE, GEN_CODE) },
    { "plan_rejects_offsets_past_what_files_can_be", CODE(p_offset, 1ull << 62, LDR_E_LOAD_RANGE, GEN_CODE) },
    { "plan_rejects_bytes_past_the_end_of_the_file", CODE(p_offset, 0x7000, LDR_E_LOAD_RANGE, GEN_CODE) },
    { "plan_rejects_a_file_cut_inside_a_segment", FILE_LENGTH, GEN_FILE_END - 1, LDR_E_LOAD_RANGE, GEN_RW },
    { "plan_rejects_overlapping_loads", PHDR(GEN_LOAD_R, p_memsz), 0x5001, LDR_E_LOAD_ORDER, GEN_CODE },
    { "plan_rejects_descending_loads", CODE(p_vaddr, 0x9000, LDR_E_LOAD_ORDER, GEN_RW) },
    { "plan_rejects_two_loads_on_one_page", CODE(p_memsz, 0x1001, LDR_E_LOAD_ORDER, GEN_RW) },
    { "plan_accepts_an_empty_load", CODE(p_memsz, 0, LDR_E_INIT_RANGE, DT_INIT) },
};

static void segments_are_as_the_file_says(void **state)
{
    (void)state;
    static struct elf elf;
    struct reading r;
    elf_make(&elf, &whole);
    assert_int_equal(elf_read(&elf, &r, VIEW_FILE), 0);
    const struct plan *plan = &r.object.image.plan;
    assert_int_equal(plan->seg_count, 3);
    assert_int_equal(plan->lo_page, 0);
    assert_int_equal(plan->hi_page, 0x7000);
    assert_int_equal(plan->align, LDR_PAGE);
    assert_int_equal(plan->huge_vaddr, 0);
    assert_int_equal(plan->seg[2].file_end, GEN_FILE_END);
    assert_int_equal(plan->seg[2].mem_end, GEN_MEM_END);
    assert_int_equal(plan->seg[1].prot, PF_R | PF_X);
    reading_free(&r);
}

static int plan_of(struct plan *plan, u64 vaddr, u64 memsz, u64 filesz, u64 align, u32 flags, struct arena *arena)
{
    Elf64_Phdr ph = { PT_LOAD, flags, vaddr & (LDR_PAGE - 1), vaddr, 0, filesz, memsz, align };
    return plan_build(plan, &ph, 1, 0, "one", arena, &test_report);
}

static void alignment_is_honoured_up_to_a_huge_page(void **state)
{
    (void)state;
    struct arena arena;
    struct plan plan;
    test_arena(&arena);
    assert_int_equal(plan_of(&plan, 0x200000, 16, 16, 0x10000, PF_R, &arena), 0);
    assert_int_equal(plan.align, 0x10000);
    assert_int_equal(plan_of(&plan, 0x200000, 16, 16, 1ull << 30, PF_R, &arena), 0);
    assert_int_equal(plan.align, LDR_HUGE_PAGE);
    test_arena_free(&arena);
}

static void large_code_is_told_for_huge_pages(void **state)
{
    (void)state;
    struct arena arena;
    struct plan plan;
    test_arena(&arena);
    assert_int_equal(plan_of(&plan, 0x1000, 4u << 20, 4u << 20, LDR_PAGE, PF_R | PF_X, &arena), 0);
    assert_int_equal(plan.huge_vaddr, 0x1000);
    assert_int_equal(plan_of(&plan, 0x1000, 4u << 20, 4u << 20, LDR_PAGE, PF_R, &arena), 0);
    assert_int_equal(plan.huge_vaddr, 0);
    test_arena_free(&arena);
}

static void an_unknown_file_length_is_not_judged(void **state)
{
    (void)state;
    struct arena arena;
    struct plan plan;
    test_arena(&arena);
    assert_int_equal(plan_of(&plan, 0x1000, 1u << 30, 1u << 30, LDR_PAGE, PF_R, &arena), 0);
    test_arena_free(&arena);
}

static void no_memory_is_told(void **state)
{
    (void)state;
    struct arena none = short_arena();
    struct plan plan;
    assert_int_equal(plan_of(&plan, 0x1000, 16, 16, LDR_PAGE, PF_R, &none), -LDR_E_NO_MEMORY);
}

/* Two writable segments around one that is not. */
static const struct segment three[] = { { .vaddr = 0x1010, .file_end = 0x1100, .mem_end = 0x1200, .prot = PF_R | PF_W },
                                        { .vaddr = 0x3000, .file_end = 0x3100, .mem_end = 0x3100, .prot = PF_R | PF_X },
                                        { .vaddr = 0x5000, .file_end = 0x5100, .mem_end = 0x6000, .prot = PF_R | PF_W } };
static const struct {
    const char *name;
    u64 place, width;
    bool text_open, fits;
} places[] = {
    { "a_place_in_writable_memory_fits", 0x1010, 8, false, true },
    { "a_place_may_lie_on_the_page_before_the_segment", 0x1000, 8, false, true },
    { "a_place_in_bss_fits", 0x5ff8, 8, false, true },
    { "a_place_must_end_inside", 0x5ffc, 8, false, false },
    { "a_place_in_code_does_not_fit", 0x3000, 8, false, false },
    { "a_place_in_code_fits_while_text_is_open", 0x3000, 8, true, true },
    { "a_place_between_segments_does_not_fit", 0x2000, 1, true, false },
    { "a_place_past_all_does_not_fit", ~0ull - 3, 8, true, false },
    { "a_huge_width_does_not_wrap", 0x5000, ~0ull, true, false },
};
static void place_is_judged(void **state)
{
    const __typeof__(places[0]) *row = *state;
    struct plan plan = { .seg = three, .seg_count = 3 };
    assert_int_equal(plan_place_fits(&plan, row->place, row->width, row->text_open), row->fits);
}

int main(void)
{
    ROWS(places, place_is_judged);
    ROWS(rows, row_is_judged);
    TEST(segments_are_as_the_file_says);
    TEST(alignment_is_honoured_up_to_a_huge_page);
    TEST(large_code_is_told_for_huge_pages);
    TEST(an_unknown_file_length_is_not_judged);
    TEST(no_memory_is_told);
    return tests_run("plan");
}
