/* version.c: DT_VERDEF and DT_VERNEED as one table. */
#include "rows.h"

#define DEF(i, field) TABLE(GEN_VERDEF, (i) * (sizeof(Elf64_Verdef) + sizeof(Elf64_Verdaux)) + offsetof(Elf64_Verdef, field), sizeof(((Elf64_Verdef *)0)->field))
#define DEF_NAME(i) TABLE(GEN_VERDEF, (i) * (sizeof(Elf64_Verdef) + sizeof(Elf64_Verdaux)) + sizeof(Elf64_Verdef), 4)
#define NEED(field) TABLE(GEN_VERNEED, offsetof(Elf64_Verneed, field), sizeof(((Elf64_Verneed *)0)->field))
#define AUX(i, field) TABLE(GEN_VERNEED, sizeof(Elf64_Verneed) + (i) * sizeof(Elf64_Vernaux) + offsetof(Elf64_Vernaux, field), sizeof(((Elf64_Vernaux *)0)->field))

static const struct row rows[] = {
    { "verdef_must_lie_in_a_segment", DYN(DT_VERDEF), 0x100000, LDR_E_VERDEF, 0x100000 },
    { "verdef_must_be_aligned", DYN(DT_VERDEF), 0x202, LDR_E_VERDEF, 0x202 },
    { "verdef_revision_is_1", DEF(1, vd_version), 2, LDR_E_VERDEF, ANY_PLACE },
    { "verdef_name_must_be_a_string", DEF_NAME(1), 0xffffff, LDR_E_VERDEF, ANY_PLACE },
    { "verdef_name_record_must_be_inside", DEF(1, vd_aux), 0xfffffff0, LDR_E_VERDEF, ANY_PLACE },
    { "verdef_name_record_must_be_aligned", DEF(1, vd_aux), 22, LDR_E_VERDEF, ANY_PLACE },
    { "verdef_next_must_be_inside", DEF(0, vd_next), 0xfffffff0, LDR_E_VERDEF, ANY_PLACE },
    { "verdef_next_must_be_aligned", DEF(0, vd_next), 29, LDR_E_VERDEF, ANY_PLACE },
    { "verdef_list_may_end_before_its_count", DEF(0, vd_next), 0, 0, 0 },
    { "verdef_count_of_0_is_none", DYN(DT_VERDEFNUM), 0, 0, 0 },
    { "verneed_must_lie_in_a_segment", DYN(DT_VERNEED), 0x100000, LDR_E_VERNEED, 0x100000 },
    { "verneed_must_be_aligned", DYN(DT_VERNEED), 0x202, LDR_E_VERNEED, 0x202 },
    { "verneed_revision_is_1", NEED(vn_version), 0, LDR_E_VERNEED, ANY_PLACE },
    { "verneed_file_must_be_a_string", NEED(vn_file), 0xffffff, LDR_E_VERNEED, ANY_PLACE },
    { "verneed_name_must_be_a_string", AUX(0, vna_name), 0xffffff, LDR_E_VERNEED, ANY_PLACE },
    { "verneed_records_must_be_inside", NEED(vn_aux), 0xfffffff0, LDR_E_VERNEED, ANY_PLACE },
    { "verneed_records_must_be_aligned", NEED(vn_aux), 18, LDR_E_VERNEED, ANY_PLACE },
    { "verneed_next_record_must_be_inside", AUX(0, vna_next), 0xfffffff0, LDR_E_VERNEED, ANY_PLACE },
    { "verneed_without_records_is_accepted", NEED(vn_cnt), 0, 0, 0 },
    { "verneed_records_may_end_before_their_count", NEED(vn_cnt), 0xffff, 0, 0 },
};

static void versions_are_numbered_as_the_file_says(void **state)
{
    (void)state;
    static struct elf elf;
    struct reading r;
    elf_make(&elf, &whole);
    assert_int_equal(elf_read(&elf, &r, VIEW_MEMORY), 0);
    const struct image *image = &r.object.image;
    static const char *const names[] = { NULL, NULL, "LIB_1", "LIB_2", "DEP_1", "DEP_2" };
    assert_int_equal(image->version_count, ARRAY_COUNT(names));
    for (u32 i = 2; i < ARRAY_COUNT(names); i++) {
        assert_string_equal(image->version[i].name, names[i]);
        assert_int_equal(image->version[i].hash, sysv_hash_of(names[i]));
        assert_int_equal(image->version[i].needed, i > 3);
    }
    assert_true(image_defines_version(image, "LIB_2", sysv_hash_of("LIB_2")));
    assert_false(image_defines_version(image, "DEP_1", sysv_hash_of("DEP_1")));
    struct version_walk walk = image_version_needs(image);
    struct version_need need;
    assert_true(image_next_version_need(image, &r.object.view, &walk, &need));
    assert_string_equal(need.name, "DEP_1");
    assert_true(image_next_version_need(image, &r.object.view, &walk, &need));
    assert_string_equal(need.name, "DEP_2");
    assert_false(image_next_version_need(image, &r.object.view, &walk, &need));
    reading_free(&r);
}

/* Two needs with the same list of records, as long as version numbers reach: one more record than there are numbers. Without that bound
 * a file of some megabytes could ask for billions of steps. */
static void more_records_than_version_numbers_are_refused(void **state)
{
    (void)state;
    u32 records = 0x4000, len = 2 * sizeof(Elf64_Verneed) + records * sizeof(Elf64_Vernaux);
    u8 *bytes = aligned_alloc(4096, align_up(len, 4096));
    Elf64_Verneed *vn = (void *)bytes;
    Elf64_Vernaux *va = (void *)(vn + 2);
    vn[0] = (Elf64_Verneed){ .vn_version = 1, .vn_cnt = (u16)records, .vn_aux = 2 * sizeof *vn, .vn_next = sizeof *vn };
    vn[1] = (Elf64_Verneed){ .vn_version = 1, .vn_cnt = (u16)records, .vn_aux = sizeof *vn };
    for (u32 i = 0; i < records; i++)
        va[i] = (Elf64_Vernaux){ .vna_other = 2, .vna_next = sizeof *va };
    struct segment seg = { .vaddr = 0x1000, .file_end = 0x1000 + len, .mem_end = 0x1000 + len, .prot = PF_R };
    struct plan plan = { .seg = &seg, .seg_count = 1 };
    struct view view = { bytes, &plan, VIEW_FILE };
    u16 versym[1] = { 0 };
    struct image image = { .path = "needs", .versym = versym, .verneed_vaddr = 0x1000, .verneed_count = 1, .strtab = "", .strtab_len = 1 };
    struct arena arena;
    test_arena(&arena);
    assert_int_equal(image_read_versions(&image, &view, &arena, &test_report), 0);
    image.verneed_count = 2;
    assert_int_equal(image_read_versions(&image, &view, &arena, &test_report), -LDR_E_VERNEED);
    test_arena_free(&arena);
    free(bytes);
}

static void no_memory_is_told(void **state)
{
    (void)state;
    static struct elf elf;
    struct reading r;
    elf_make(&elf, &whole);
    assert_int_equal(elf_read(&elf, &r, VIEW_MEMORY), 0);
    struct arena none = short_arena();
    assert_int_equal(image_read_versions(&r.object.image, &r.object.view, &none, &test_report), -LDR_E_NO_MEMORY);
    reading_free(&r);
}

int main(void)
{
    ROWS(rows, row_is_judged);
    TEST(versions_are_numbered_as_the_file_says);
    TEST(more_records_than_version_numbers_are_refused);
    TEST(no_memory_is_told);
    return tests_run("version");
}
