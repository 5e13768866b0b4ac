/* dynamic.c: PT_DYNAMIC as checked tables. */
#include "rows.h"

#define OUT 0x100000ull               /* an address outside every segment */
static const struct row rows[] = {
    { "dynamic_section_must_lie_in_a_segment", PHDR(GEN_DYNAMIC, p_vaddr), OUT, LDR_E_DYN_RANGE, 0 },
    { "dynamic_section_must_be_aligned", PHDR(GEN_DYNAMIC, p_vaddr), GEN_RW + 4, LDR_E_DYN_RANGE, 0 },
    { "dynamic_section_must_hold_an_entry", PHDR(GEN_DYNAMIC, p_memsz), 15, LDR_E_DYN_RANGE, 0 },
    { "dynamic_section_must_be_ended", PHDR(GEN_DYNAMIC, p_memsz), 32, LDR_E_DYN_UNENDED, GEN_RW },
    { "dynamic_string_table_must_exist", DYN_TAG(DT_STRTAB), 0x12345, LDR_E_STRTAB, DT_STRTAB },
    { "dynamic_string_table_must_lie_in_a_segment", DYN(DT_STRTAB), OUT, LDR_E_STRTAB, DT_STRSZ },
    { "dynamic_string_table_must_fit", DYN(DT_STRSZ), OUT, LDR_E_STRTAB, DT_STRSZ },
    { "dynamic_string_table_must_not_be_empty", DYN(DT_STRSZ), 0, LDR_E_STRTAB, DT_STRSZ },
    { "dynamic_string_table_must_be_ended", DYN(DT_STRSZ), 3, LDR_E_STRTAB, DT_STRSZ },
    { "dynamic_soname_must_be_in_the_table", DYN(DT_SONAME), OUT, LDR_E_STRING, DT_SONAME },
    { "dynamic_runpath_must_be_in_the_table", DYN(DT_RUNPATH), OUT, LDR_E_STRING, DT_RUNPATH },
    { "dynamic_rpath_in_the_table_is_accepted", DYN_TAG(DT_RELACOUNT), DT_RPATH, 0, 0 },
    { "dynamic_symbol_table_must_lie_in_a_segment", DYN(DT_SYMTAB), OUT, LDR_E_SYMTAB, DT_SYMTAB },
    { "dynamic_symbol_table_must_be_aligned", DYN(DT_SYMTAB), 0x204, LDR_E_SYMTAB, DT_SYMTAB },
    { "dynamic_symbol_table_must_hold_a_symbol", DYN(DT_SYMTAB), GEN_TABLES - 16, LDR_E_SYMTAB, DT_SYMTAB },
    { "dynamic_symbol_size_is_24", DYN(DT_SYMENT), 16, LDR_E_SYMENT, DT_SYMENT },
    { "dynamic_symbol_size_may_be_untold", DYN(DT_SYMENT), 0, 0, 0 },

    { "gnu_hash_must_lie_in_a_segment", DYN(DT_GNU_HASH), OUT, LDR_E_GNU_HASH, DT_GNU_HASH },
    { "gnu_hash_must_be_aligned", DYN(DT_GNU_HASH), 0x204, LDR_E_GNU_HASH, DT_GNU_HASH },
    { "gnu_hash_needs_buckets", TABLE(GEN_GNU, 0, 4), 0, LDR_E_GNU_HASH, ANY_PLACE },
    { "gnu_hash_buckets_must_fit", TABLE(GEN_GNU, 0, 4), 0xffffffff, LDR_E_GNU_HASH, ANY_PLACE },
    { "gnu_hash_needs_bloom_words", TABLE(GEN_GNU, 8, 4), 0, LDR_E_GNU_HASH, ANY_PLACE },
    { "gnu_hash_bloom_words_are_a_power_of_two", TABLE(GEN_GNU, 8, 4), 3, LDR_E_GNU_HASH, ANY_PLACE },
    { "gnu_hash_bloom_words_must_fit", TABLE(GEN_GNU, 8, 4), 0x80000000, LDR_E_GNU_HASH, ANY_PLACE },
    { "gnu_hash_shift_is_below_64", TABLE(GEN_GNU, 12, 4), 64, LDR_E_GNU_HASH, ANY_PLACE },
    { "gnu_hash_shift_of_63_is_accepted", TABLE(GEN_GNU, 12, 4), 63, 0, 0 },
    { "hash_must_lie_in_a_segment", DYN(DT_HASH), OUT, LDR_E_HASH, DT_HASH },
    { "hash_must_be_aligned", DYN(DT_HASH), 0x202, LDR_E_HASH, DT_HASH },
    { "hash_needs_buckets", TABLE(GEN_SYSV, 0, 4), 0, LDR_E_HASH, DT_HASH },
    { "hash_buckets_must_fit", TABLE(GEN_SYSV, 0, 4), 0xffffffff, LDR_E_HASH, ANY_PLACE },
    { "hash_chains_must_fit", TABLE(GEN_SYSV, 4, 4), 0xffffffff, LDR_E_HASH, ANY_PLACE },
    { "hash_chains_cannot_pass_the_symbols", TABLE(GEN_SYSV, 4, 4), 0x1000, LDR_E_HASH, ANY_PLACE },
    { "versym_must_lie_in_a_segment", DYN(DT_VERSYM), OUT, LDR_E_VERSYM, DT_VERSYM },
    { "versym_must_be_aligned", DYN(DT_VERSYM), 0x201, LDR_E_VERSYM, DT_VERSYM },

    { "rela_must_lie_in_a_segment", DYN(DT_RELA), OUT, LDR_E_RELOC_RANGE, DT_RELA },
    { "rela_must_be_aligned", DYN(DT_RELA), 0x204, LDR_E_RELOC_RANGE, DT_RELA },
    { "rela_must_fit", DYN(DT_RELASZ), OUT, LDR_E_RELOC_RANGE, DT_RELA },
    { "rela_size_may_not_wrap", DYN(DT_RELASZ), ~0ull, LDR_E_RELOC_RANGE, DT_RELA },
    { "rela_entry_size_is_24", DYN(DT_RELAENT), 16, LDR_E_RELOC_ENT, DT_RELAENT },
    { "jmprel_must_lie_in_a_segment", DYN(DT_JMPREL), OUT, LDR_E_RELOC_RANGE, DT_JMPREL },
    { "jmprel_must_fit", DYN(DT_PLTRELSZ), OUT, LDR_E_RELOC_RANGE, DT_JMPREL },
    { "jmprel_of_another_kind_is_refused", DYN(DT_PLTREL), DT_REL, LDR_E_RELOC_ENT, DT_PLTREL },
    { "rel_must_lie_in_a_segment", DYN(DT_REL), OUT, LDR_E_RELOC_RANGE, DT_REL },
    { "rel_entry_size_is_16", DYN(DT_RELENT), 24, LDR_E_RELOC_ENT, DT_RELENT },
    { "relr_must_lie_in_a_segment", DYN(DT_RELR), OUT, LDR_E_RELOC_RANGE, DT_RELR },
    { "relr_entry_size_is_8", DYN(DT_RELRENT), 4, LDR_E_RELOC_ENT, DT_RELRENT },
    { "init_array_must_lie_in_a_segment", DYN(DT_INIT_ARRAY), OUT, LDR_E_INIT_RANGE, DT_INIT_ARRAY },
    { "init_array_must_fit", DYN(DT_INIT_ARRAYSZ), OUT, LDR_E_INIT_RANGE, DT_INIT_ARRAY },
    { "fini_array_must_be_aligned", DYN(DT_FINI_ARRAY), GEN_ARRAYS + 4, LDR_E_INIT_RANGE, DT_FINI_ARRAY },
    { "preinit_array_must_lie_in_a_segment", DYN(DT_PREINIT_ARRAY), OUT, LDR_E_INIT_RANGE, DT_PREINIT_ARRAY },
    { "init_must_be_code", DYN(DT_INIT), GEN_DATA, LDR_E_INIT_RANGE, DT_INIT },
    { "init_must_be_code_of_the_file", DYN(DT_INIT), GEN_CODE + GEN_CODE_LEN, LDR_E_INIT_RANGE, DT_INIT },
    { "fini_must_be_code", DYN(DT_FINI), OUT, LDR_E_INIT_RANGE, DT_FINI },
    { "init_may_be_absent", DYN(DT_INIT), 0, 0, 0 },
    { "tables_need_a_readable_segment", PHDR(GEN_LOAD_R, p_flags), 0, LDR_E_STRTAB, DT_STRSZ },
    { "tables_need_a_segment_that_is_not_only_executable", PHDR(GEN_LOAD_R, p_flags), PF_X, LDR_E_STRTAB, DT_STRSZ },
    { "dynamic_section_needs_a_readable_segment", PHDR(GEN_LOAD_RW, p_flags), 0, LDR_E_DYN_RANGE, 0 },
};

static void tables_are_as_the_file_says(void **state)
{
    (void)state;
    static struct elf elf;
    struct reading r;
    for (enum view_rule rule = VIEW_MEMORY; rule <= VIEW_FILE; rule++) {
        elf_make(&elf, &whole);
        assert_int_equal(elf_read(&elf, &r, rule), 0);
        const struct image *image = &r.object.image;
        assert_string_equal(image->soname, "test.so");
        assert_string_equal(image->runpath, "/lib");
        assert_null(image->rpath);
        assert_int_equal(image->rela.count, 2);
        assert_int_equal(image->rela_relative, 1);
        assert_int_equal(image->plt.count, 1);
        assert_int_equal(image->rel.count, 1);
        assert_int_equal(image->relr.count, 1);
        assert_int_equal(image->init_array.count, 2);
        assert_int_equal(image->init_vaddr, GEN_CODE);
        assert_int_equal(image_symbol_count(image), elf.symbol_count);
        u32 at = 0;
        u64 value;
        assert_true(image_next_dyn(image, &at, DT_NEEDED, &value));
        assert_string_equal(image_string(image, value), "libdep.so.1");
        assert_false(image_next_dyn(image, &at, DT_NEEDED, &value));
        assert_null(image_string(image, image->strtab_len));
        reading_free(&r);
    }
}

static void a_promise_of_too_many_relative_relocations_is_cut(void **state)
{
    (void)state;
    static struct elf elf;
    struct reading r;
    elf_make(&elf, &whole);
    *elf_dyn(&elf, DT_RELACOUNT) = 1000;
    assert_int_equal(elf_read(&elf, &r, VIEW_FILE), 0);
    assert_int_equal(r.object.image.rela_relative, 2);
    reading_free(&r);
}

static void jump_slots_counted_in_rela_too_are_taken_once(void **state)
{
    (void)state;
    static struct elf elf;
    struct reading r;
    elf_make(&elf, &whole);
    *elf_dyn(&elf, DT_JMPREL) = *elf_dyn(&elf, DT_RELA) + sizeof(Elf64_Rela);
    assert_int_equal(elf_read(&elf, &r, VIEW_FILE), 0);
    assert_int_equal(r.object.image.rela.count, 1);
    assert_int_equal(r.object.image.plt.count, 1);
    reading_free(&r);
}

static const struct flag { const char *name; i64 tag; u64 value; bool symbolic, textrel, now; } flags[] = {
    { "flags_symbolic", DT_FLAGS, DF_SYMBOLIC, true, false, false },
    { "flags_textrel", DT_FLAGS, DF_TEXTREL, false, true, false },
    { "flags_bind_now", DT_FLAGS, DF_BIND_NOW, false, false, true },
    { "flags_1_now", DT_FLAGS_1, DF_1_NOW, false, false, true },
};

static void flag_is_seen(void **state)
{
    const struct flag *row = *state;
    static struct elf elf;
    struct reading r;
    elf_make(&elf, &whole);
    *elf_dyn(&elf, row->tag) = row->value;
    assert_int_equal(elf_read(&elf, &r, VIEW_FILE), 0);
    assert_int_equal(r.object.image.symbolic, row->symbolic);
    assert_int_equal(r.object.image.textrel, row->textrel);
    assert_int_equal(r.object.image.bind_now, row->now);
    reading_free(&r);
}

static void an_object_without_dynamic_section_has_nothing(void **state)
{
    (void)state;
    static struct elf elf;
    struct reading r;
    elf_make(&elf, &whole);
    elf_phdr(&elf, GEN_DYNAMIC)->p_type = PT_NULL;
    assert_int_equal(elf_read(&elf, &r, VIEW_FILE), 0);
    assert_int_equal(r.object.image.dyn_count, 0);
    assert_int_equal(image_symbol_count(&r.object.image), 0);
    struct symbol_want want = { .name = "alpha" };
    want.gnu = gnu_hash_len(want.name, &want.len);
    assert_null(image_find_symbol(&r.object.image, &want));
    reading_free(&r);
}

int main(void)
{
    ROWS(rows, row_is_judged);
    ROWS(flags, flag_is_seen);
    TEST(tables_are_as_the_file_says);
    TEST(a_promise_of_too_many_relative_relocations_is_cut);
    TEST(jump_slots_counted_in_rela_too_are_taken_once);
    TEST(an_object_without_dynamic_section_has_nothing);
    return tests_run("dynamic");
}
