/* versions.c: does every version need have its definition? */
#include "elfgen.h"

static struct elf elves[2];
static struct reading readings[2];

/* The user needs `needed` of "libb.so"; the provider calls itself so and defines the version of its symbol. */
static const struct {
    const char *name;
    const char *provided;             /* version of the provider's symbol; NULL: it has none */
    bool absent, weak;
    enum version_verdict verdict;
} rows[] = {
    { "a_version_that_is_there_is_found", "V9", false, false, VERSION_FOUND },
    { "a_version_that_is_not_is_missing", "V1", false, false, VERSION_MISSING },
    { "a_weak_need_may_be_missing", "V1", false, true, VERSION_MISSING_WEAK },
    { "a_library_without_versions_has_any", NULL, false, false, VERSION_FOUND },
    { "an_absent_library_was_told_already", "V1", true, false, VERSION_FOUND },
};

static void need_is_judged(void **state)
{
    const __typeof__(rows[0]) *row = *state;
    static const struct gen_symbol wanted = { .name = "f", .version = "V9", .undefined = true };
    const struct gen_symbol given = { .name = "f", .version = row->provided };
    elf_make(&elves[0], &(struct gen_options){ .symbol = &wanted, .symbol_count = 1, .needed = "libb.so" });
    elf_make(&elves[1], &(struct gen_options){ .symbol = &given, .symbol_count = 1, .no_versions = !row->provided });
    for (u32 i = 0; i < 2; i++)
        assert_int_equal(elf_read(&elves[i], &readings[i], VIEW_FILE), 0);
    struct object *user = &readings[0].object, *provider = &readings[1].object;
    struct version_check check = { 0 };
    struct version_walk walk = image_version_needs(&user->image);
    struct version_need need;
    assert_true(image_next_version_need(&user->image, &user->view, &walk, &need));
    provider->aliases.name = row->absent ? "other.so" : need.file;
    user->next = provider;
    if (row->weak)
        for (u32 at = elves[0].at[GEN_VERNEED]; at < GEN_TABLES; at += 16)
            if (((Elf64_Vernaux *)(void *)(elves[0].bytes + at))->vna_hash == need.hash) {
                ((Elf64_Vernaux *)(void *)(elves[0].bytes + at))->vna_flags = VER_FLG_WEAK;
                break;
            }
    enum version_verdict verdict = version_next(&check, user, user);
    assert_int_equal(verdict, row->verdict);
    assert_true(check.new_file);
    assert_string_equal(check.need.name, "V9");
    assert_ptr_equal(check.from, row->absent ? NULL : provider);
    while (version_next(&check, user, user) != VERSION_END)
        ;
    assert_false(version_relr_unmarked(&check, user));
    for (u32 i = 0; i < 2; i++)
        reading_free(&readings[i]);
}

int main(void)
{
    ROWS(rows, need_is_judged);
    return tests_run("versions");
}
