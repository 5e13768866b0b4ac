/* candidate.c, names.c, reference.c: what may be taken, which object is meant, what a relocation asks for. */
#include "elfgen.h"

static struct elf elf;
static struct reading r;

static const struct {
    const char *name;
    bool no_dynamic, late;
    u16 type;
    u32 flags_1;
    int code;
} loadable[] = {
    { "a_library_may_be_loaded", .type = ET_DYN },
    { "a_library_needs_a_dynamic_section", .no_dynamic = true, .type = ET_DYN, .code = LDR_E_NO_DYNAMIC },
    { "a_pie_is_no_library", .type = ET_DYN, .flags_1 = DF_1_PIE, .code = LDR_E_OPEN_PIE },
    { "a_fixed_address_program_is_no_library", .type = ET_EXEC, .code = LDR_E_OPEN_EXEC },
    { "noopen_counts_for_dlopen", .type = ET_DYN, .late = true, .flags_1 = DF_1_NOOPEN, .code = LDR_E_NO_OPEN },
    { "noopen_does_not_count_at_start", .type = ET_DYN, .flags_1 = DF_1_NOOPEN },
};
static void library_is_judged(void **state)
{
    const __typeof__(loadable[0]) *row = *state;
    elf_make(&elf, &(struct gen_options){ 0 });
    assert_int_equal(elf_read(&elf, &r, VIEW_FILE), 0);
    r.object.image.type = row->type;
    r.object.image.flags_1 = row->flags_1;
    if (row->no_dynamic)
        r.object.image.dyn_vaddr = 0;
    assert_int_equal(candidate_check_library(&r.object, row->late, &test_report), -row->code);
    reading_free(&r);
}

static const struct {
    const char *name;
    u8 at, value;
    u32 len;
    bool foreign, other_class;
} heads[] = {
    { "our_own_kind_is_not_foreign", EI_VERSION, EV_CURRENT, 64, false, false },
    { "another_class_is_foreign", EI_CLASS, ELFCLASS32, 64, true, true },
    { "another_machine_is_foreign", offsetof(Elf64_Ehdr, e_machine), EM_386, 64, true, false },
    { "another_byte_order_is_a_defect", EI_DATA, ELFDATA2MSB, 64, false, false },
    { "no_elf_at_all_is_a_defect", 0, 'x', 64, false, false },
    { "a_short_file_is_a_defect", EI_VERSION, EV_CURRENT, 20, false, false },
    { "an_empty_file_is_a_defect", EI_VERSION, EV_CURRENT, 0, false, false },
};
static void head_is_judged(void **state)
{
    const __typeof__(heads[0]) *row = *state;
    bool other_class = false;
    elf_make(&elf, &(struct gen_options){ 0 });
    elf.bytes[row->at] = row->value;
    assert_int_equal(candidate_is_foreign(elf.bytes, row->len, &other_class), row->foreign);
    assert_int_equal(other_class, row->other_class);
}

static void errors_leave_a_path_list_or_go_on(void **state)
{
    (void)state;
    assert_int_equal(candidate_after_error(2, FOUND_RUNPATH), 0);
    assert_int_equal(candidate_after_error(13, FOUND_RUNPATH), 0);
    assert_int_equal(candidate_after_error(40, FOUND_RUNPATH), SEARCH_ABANDON_LIST);
    assert_int_equal(candidate_after_error(40, FOUND_CACHE), 0);
    assert_int_equal(candidate_after_error(40, FOUND_NAME), 0);
}

static void objects_are_known_by_every_name_and_by_file(void **state)
{
    (void)state;
    struct alias second = { "libb.so.1", NULL };
    struct object vdso = { .path = "v", .aliases = { "libb.so.1", NULL }, .is_vdso = true };
    struct object b = { .path = "/lib/libb.so", .aliases = { "libb.so", &second }, .dev = 1, .ino = 7, .prev = &vdso };
    struct object none = { .path = "", .dev = 1, .prev = &b };
    vdso.next = &b;
    b.next = &none;
    assert_ptr_equal(object_by_name(&vdso, "libb.so"), &b);
    assert_ptr_equal(object_by_name(&vdso, "libb.so.1"), &b);
    assert_ptr_equal(object_by_name(&vdso, "/lib/libb.so"), &b);
    assert_null(object_by_name(&vdso, "v"));
    assert_null(object_by_name(&vdso, "libb.so.10"));
    assert_null(object_by_name(&vdso, ""));
    assert_ptr_equal(object_by_file(&vdso, 1, 7), &b);
    assert_null(object_by_file(&vdso, 2, 7));
    assert_null(object_by_file(&vdso, 1, 0));
}

static void a_reference_is_found_weak_or_undefined(void **state)
{
    (void)state;
    static const struct gen_symbol symbols[] = { { .name = "f" }, { .name = "w", .undefined = true, .bind = STB_WEAK }, { .name = "u", .undefined = true } };
    elf_make(&elf, &(struct gen_options){ .symbol = symbols, .symbol_count = 3 });
    assert_int_equal(elf_read(&elf, &r, VIEW_FILE), 0);
    struct object *list[] = { &r.object };
    struct scope scope = { list, 1, 1, false };
    const struct scope *scopes[] = { &scope };
    struct config config = { 0 };
    struct symbol_want want;
    struct binding out;
    r.object.scope = scopes;
    r.object.scope_count = 1;
    struct reference reference = { &r.object, elf.number[0], 0, &test_report, NULL };
    assert_int_equal(reference_find(&reference, &config, NULL, NULL, &want, &out), 0);
    assert_ptr_equal(out.symbol, &r.object.image.symtab[elf.number[0]]);
    reference.symbol = elf.number[1];
    assert_int_equal(reference_find(&reference, &config, NULL, NULL, &want, &out), REFERENCE_WEAK);
    assert_null(out.object);
    reference.symbol = elf.number[2];
    assert_int_equal(reference_find(&reference, &config, NULL, NULL, &want, &out), REFERENCE_UNDEFINED);
    assert_string_equal(want.name, "u");
    reference.symbol = (u32)r.object.image.sym_limit;
    assert_int_equal(reference_find(&reference, &config, NULL, NULL, &want, &out), -LDR_E_RELOC_SYMBOL);
    reading_free(&r);
}

/* The code is 0x100 bytes at 0x5000. */
static void a_resolver_must_be_code_of_its_object(void **state)
{
    (void)state;
    static const struct { u64 value; u8 visibility; int got; } rows[] = {
        { 0x5000, STV_DEFAULT, 0 }, { 0x50ff, STV_DEFAULT, 0 }, { 0x5100, STV_DEFAULT, -LDR_E_RESOLVER }, { 0x4fff, STV_DEFAULT, -LDR_E_RESOLVER },
        { 1, STV_DEFAULT, -LDR_E_RESOLVER }, { ~0ull, STV_DEFAULT, -LDR_E_RESOLVER }, { 0x5010, STV_HIDDEN, 0 }, { 0x104060, STV_HIDDEN, -LDR_E_RESOLVER },
    };
    for (u32 i = 0; i < ARRAY_COUNT(rows); i++) {
        const struct gen_symbol symbols[] = { { .name = "f", .type = STT_GNU_IFUNC, .value = rows[i].value, .visibility = rows[i].visibility } };
        elf_make(&elf, &(struct gen_options){ .symbol = symbols, .symbol_count = 1 });
        assert_int_equal(elf_read(&elf, &r, VIEW_FILE), 0);
        struct object *list[] = { &r.object };
        struct scope scope = { list, 1, 1, false };
        const struct scope *scopes[] = { &scope };
        struct config config = { 0 };
        struct symbol_want want;
        struct binding out;
        r.object.scope = scopes;
        r.object.scope_count = 1;
        struct reference reference = { &r.object, elf.number[0], 0, &test_report, NULL };
        assert_int_equal(reference_find(&reference, &config, NULL, NULL, &want, &out), rows[i].got);
        reading_free(&r);
    }
}

static void words_of_a_preload_list(void **state)
{
    (void)state;
    const char *at = "  a.so:b.so\tc.so\n";
    size_t len;
    const char *word = config_next_word(&at, false, &len);
    assert_int_equal(len, 9);
    assert_memory_equal(word, "a.so:b.so", 9);
    word = config_next_word(&at, false, &len);
    assert_memory_equal(word, "c.so", len);
    assert_null(config_next_word(&at, false, &len));
    at = ":a.so:b.so";
    word = config_next_word(&at, true, &len);
    assert_int_equal(len, 4);
    assert_memory_equal(word, "a.so", len);
}

int main(void)
{
    ROWS(loadable, library_is_judged);
    ROWS(heads, head_is_judged);
    TEST(errors_leave_a_path_list_or_go_on);
    TEST(objects_are_known_by_every_name_and_by_file);
    TEST(a_reference_is_found_weak_or_undefined);
    TEST(a_resolver_must_be_code_of_its_object);
    TEST(words_of_a_preload_list);
    return tests_run("candidate");
}
