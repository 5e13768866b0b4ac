/* lookup.c: scopes in order, skips, protected definitions, LD_DYNAMIC_WEAK. (Walk against index: test_index.c.) */
#include "elfgen.h"

/* Up to three objects, each with one symbol "f"; the referrer is the last. */
static struct elf elves[3];
static struct reading readings[3];

struct row {
    const char *name;
    struct gen_symbol symbol[3];      /* name NULL: that object has another symbol */
    u32 classes;
    bool strong_first, first_is_program;
    i64 skip, expect;                 /* object numbers; -1: none */
};
static const struct row rows[] = {
    { "the_first_definition_wins", { { .name = "f" }, { .name = "f" }, { .name = "f" } }, 0, false, false, -1, 0 },
    { "a_weak_one_wins_when_first", { { .name = "f", .bind = STB_WEAK }, { .name = "f" }, { .name = "f" } }, 0, false, false, -1, 0 },
    { "strong_first_passes_over_weak", { { .name = "f", .bind = STB_WEAK }, { .name = "f" }, { .name = "f" } }, 0, true, false, -1, 1 },
    { "strong_first_takes_weak_when_alone", { { .name = "f", .bind = STB_WEAK }, { 0 }, { 0 } }, 0, true, false, -1, 0 },
    { "strong_first_takes_the_first_of_weak_ones", { { 0 }, { .name = "f", .bind = STB_WEAK }, { .name = "f", .bind = STB_WEAK } }, 0, true, false, -1, 1 },
    { "undefined_is_passed_over", { { .name = "f", .undefined = true }, { .name = "f" }, { 0 } }, 0, false, false, -1, 1 },
    { "what_is_skipped_does_not_answer", { { .name = "f" }, { .name = "f" }, { 0 } }, 0, false, false, 0, 1 },
    { "a_copy_does_not_come_from_the_program", { { .name = "f" }, { .name = "f" }, { 0 } }, CLASS_COPY, false, true, -1, 1 },
    { "nobody_answers", { { 0 }, { 0 }, { 0 } }, 0, false, false, -1, -1 },
    { "protected_binds_to_itself", { { .name = "f" }, { 0 }, { .name = "f", .visibility = STV_PROTECTED } }, 0, false, false, -1, 2 },
    { "protected_binds_to_itself_for_calls", { { .name = "f" }, { 0 }, { .name = "f", .visibility = STV_PROTECTED } }, CLASS_PLT, false, false, -1, 2 },
    { "protected_yields_to_the_programs_plt_entry", { { .name = "f", .undefined = true, .value = 0x5010 }, { 0 }, { .name = "f", .visibility = STV_PROTECTED } },
      0, false, true, -1, 0 },
};

static void reference_binds(void **state)
{
    const struct row *row = *state;
    static const struct gen_symbol other = { .name = "other" };
    struct object *list[3];
    struct scope scope = { list, 3, 3 };
    const struct scope *scopes[] = { &scope };
    for (u32 i = 0; i < 3; i++) {
        elf_make(&elves[i], &(struct gen_options){ .symbol = row->symbol[i].name ? &row->symbol[i] : &other, .symbol_count = 1 });
        assert_int_equal(elf_read(&elves[i], &readings[i], VIEW_FILE), 0);
        list[i] = &readings[i].object;
        list[i]->is_program = i == 0 && row->first_is_program;
    }
    struct object *referrer = list[2];
    referrer->scope = scopes;
    referrer->scope_count = 1;
    const Elf64_Sym *reference = row->symbol[2].name ? &referrer->image.symtab[1] : NULL;
    struct symbol_want want = { .name = "f", .len = 1, .gnu = gnu_hash_of("f"), .classes = row->classes, .strong_first = row->strong_first };
    struct binding out = { 0 };
    bool found = lookup_reference(referrer, reference, &want, row->skip < 0 ? NULL : list[row->skip], NULL, &out);
    assert_int_equal(found, row->expect >= 0);
    if (found)
        assert_ptr_equal(out.object, list[row->expect]);
    for (u32 i = 0; i < 3; i++)
        reading_free(&readings[i]);
}

static void local_symbols_bind_locally(void **state)
{
    (void)state;
    assert_true(symbol_binds_locally(&(Elf64_Sym){ .st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC) }));
    assert_true(symbol_binds_locally(&(Elf64_Sym){ .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), .st_other = STV_HIDDEN }));
    assert_true(symbol_binds_locally(&(Elf64_Sym){ .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), .st_other = STV_INTERNAL }));
    assert_false(symbol_binds_locally(&(Elf64_Sym){ .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), .st_other = STV_PROTECTED }));
    assert_false(symbol_binds_locally(&(Elf64_Sym){ .st_info = ELF64_ST_INFO(STB_WEAK, STT_FUNC) }));
}

int main(void)
{
    ROWS(rows, reference_binds);
    TEST(local_symbols_bind_locally);
    return tests_run("lookup");
}
