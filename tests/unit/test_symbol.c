/* symbol.c: the rules by which one object answers, through both hash tables. */
#include "rows.h"

/* One lookup in an object with the given symbols. `expect`: index into the symbols, -1: no answer. */
struct lookup {
    const char *name;
    struct gen_symbol symbol[4];
    const char *want, *version;
    bool insists;                     /* version.hidden: the reference wants that version and nothing unversioned */
    bool newest;
    u32 classes;
    i64 expect;
};
static const struct lookup lookups[] = {
    { "finds_a_plain_definition", { { .name = "f" } }, "f", NULL, false, false, 0, 0 },
    { "does_not_find_another_name", { { .name = "f" } }, "g", NULL, false, false, 0, -1 },
    { "does_not_take_a_prefix", { { .name = "ff" } }, "f", NULL, false, false, 0, -1 },
    { "finds_a_weak_definition", { { .name = "f", .bind = STB_WEAK } }, "f", NULL, false, false, 0, 0 },
    { "finds_a_unique_definition", { { .name = "f", .bind = STB_GNU_UNIQUE } }, "f", NULL, false, false, 0, 0 },
    { "passes_over_another_binding", { { .name = "f", .bind = 13 } }, "f", NULL, false, false, 0, -1 },
    { "passes_over_undefined", { { .name = "f", .undefined = true } }, "f", NULL, false, false, 0, -1 },
    { "takes_a_canonical_plt_entry", { { .name = "f", .undefined = true, .value = 0x5010 } }, "f", NULL, false, false, 0, 0 },
    { "passes_over_a_canonical_plt_entry_for_calls", { { .name = "f", .undefined = true, .value = 0x5010 } }, "f", NULL, false, false, CLASS_PLT, -1 },
    { "passes_over_hidden", { { .name = "f", .visibility = STV_HIDDEN } }, "f", NULL, false, false, 0, -1 },
    { "passes_over_internal", { { .name = "f", .visibility = STV_INTERNAL } }, "f", NULL, false, false, 0, -1 },
    { "finds_protected", { { .name = "f", .visibility = STV_PROTECTED } }, "f", NULL, false, false, 0, 0 },
    { "passes_over_sections", { { .name = "f", .type = STT_SECTION } }, "f", NULL, false, false, 0, -1 },
    { "finds_indirect_functions", { { .name = "f", .type = STT_GNU_IFUNC } }, "f", NULL, false, false, 0, 0 },
    { "finds_thread_local", { { .name = "f", .type = STT_TLS } }, "f", NULL, false, false, 0, 0 },
    { "finds_absolute_0", { { .name = "f", .absolute = true } }, "f", NULL, false, false, 0, 0 },

    { "version_must_be_the_one_wanted", { { .name = "f", .version = "V1" }, { .name = "f", .version = "V2" } }, "f", "V2", false, false, 0, 1 },
    { "version_missing_is_no_answer", { { .name = "f", .version = "V1" } }, "f", "V2", false, false, 0, -1 },
    { "version_hidden_is_found_by_name", { { .name = "f", .version = "V1", .hidden = true } }, "f", "V1", false, false, 0, 0 },
    { "version_unversioned_definition_answers", { { .name = "f" }, { .name = "g", .version = "V1" } }, "f", "V9", false, false, 0, 0 },
    { "version_unversioned_definition_does_not_answer_who_insists", { { .name = "f" }, { .name = "g", .version = "V1" } }, "f", "V9", true, false, 0, -1 },
    { "version_hidden_unversioned_definition_does_not_answer", { { .name = "f", .hidden = true }, { .name = "g", .version = "V1" } }, "f", "V9", false, false, 0, -1 },
    { "version_of_an_unversioned_object_is_any", { { .name = "f" } }, "f", "V9", false, false, 0, 0 },
    { "unversioned_takes_the_first_version", { { .name = "f", .version = "V1", .hidden = true }, { .name = "f", .version = "V2" } }, "f", NULL, false, false, 0, 0 },
    { "unversioned_takes_the_only_default", { { .name = "x", .version = "V1" }, { .name = "f", .version = "V2" }, { .name = "f", .version = "V3", .hidden = true } }, "f", NULL, false, false, 0, 1 },
    { "unversioned_does_not_choose_between_two_defaults", { { .name = "x", .version = "V1" }, { .name = "f", .version = "V2" }, { .name = "f", .version = "V3" } }, "f", NULL, false, false, 0, -1 },
    { "unversioned_does_not_take_a_hidden_later_version", { { .name = "x", .version = "V1" }, { .name = "f", .version = "V2", .hidden = true } }, "f", NULL, false, false, 0, -1 },
    { "dlsym_takes_the_newest_default", { { .name = "f", .version = "V1", .hidden = true }, { .name = "f", .version = "V2" } }, "f", NULL, false, true, 0, 1 },
};

static void lookup_ends(void **state)
{
    const struct lookup *row = *state;
    static struct elf elf;
    struct reading r;
    u32 count = 0;
    while (count < 4 && row->symbol[count].name)
        count++;
    for (u32 way = 0; way < 4; way++) {            /* GNU hash, SysV hash; file, memory */
        elf_make(&elf, &(struct gen_options){ .symbol = row->symbol, .symbol_count = count, .no_gnu = way & 1, .sysv = way & 1 });
        assert_int_equal(elf_read(&elf, &r, way & 2 ? VIEW_MEMORY : VIEW_FILE), 0);
        struct version version = { .name = row->version, .hash = row->version ? sysv_hash_of(row->version) : 0, .hidden = row->insists };
        struct symbol_want want = { .name = row->want, .version = row->version ? &version : NULL, .newest = row->newest, .classes = row->classes };
        want.gnu = gnu_hash_len(want.name, &want.len);
        const Elf64_Sym *found = image_find_symbol(&r.object.image, &want);
        if (row->expect < 0)
            assert_null(found);
        else
            assert_ptr_equal(found, r.object.image.symtab + elf.number[row->expect]);
        reading_free(&r);
    }
}

/* The reason of a refusal, for those who explain. */
static const struct {
    const char *name;
    struct gen_symbol symbol;         /* beside it stands "g" in version V1, so that there are versions */
    const char *version;
    bool insists;
    enum symbol_verdict verdict;
} verdicts[] = {
    { "an_answer_is_called_so", { .name = "f", .version = "V1" }, "V1", false, SYMBOL_ANSWERS },
    { "an_undefined_one_is_called_so", { .name = "f", .undefined = true }, NULL, false, SYMBOL_REFUSED_UNDEFINED },
    { "a_type_is_given_as_the_reason", { .name = "f", .type = STT_SECTION }, NULL, false, SYMBOL_REFUSED_TYPE },
    { "hidden_is_given_as_the_reason", { .name = "f", .visibility = STV_HIDDEN }, NULL, false, SYMBOL_REFUSED_VISIBILITY },
    { "a_binding_is_given_as_the_reason", { .name = "f", .bind = 13 }, NULL, false, SYMBOL_REFUSED_BINDING },
    { "another_version_is_given_as_the_reason", { .name = "f", .version = "V1" }, "V2", false, SYMBOL_REFUSED_VERSION },
    { "no_version_is_given_as_the_reason", { .name = "f" }, "V2", true, SYMBOL_REFUSED_UNVERSIONED },
    { "another_name_is_called_so", { .name = "e", .version = "V1" }, "V1", false, SYMBOL_OTHER_NAME },
};
static void verdict_is(void **state)
{
    const __typeof__(verdicts[0]) *row = *state;
    static struct elf elf;
    struct reading r;
    const struct gen_symbol symbols[] = { row->symbol, { .name = "g", .version = "V1" } };
    elf_make(&elf, &(struct gen_options){ .symbol = symbols, .symbol_count = 2 });
    assert_int_equal(elf_read(&elf, &r, VIEW_FILE), 0);
    struct version version = { .name = row->version, .hash = row->version ? sysv_hash_of(row->version) : 0, .hidden = row->insists };
    struct symbol_want want = { .name = "f", .len = 1, .gnu = gnu_hash_of("f"), .version = row->version ? &version : NULL };
    assert_int_equal(image_symbol_answers(&r.object.image, elf.number[0], &want), row->verdict);
    assert_int_equal(image_symbol_answers(&r.object.image, 1u << 30, &want), SYMBOL_OTHER_NAME);
    reading_free(&r);
}

/* Hash tables that lie: no fault, no endless walk, at worst a symbol of the file's own not found. */
static const struct row lies[] = {
    { "a_gnu_bucket_past_the_symbols_finds_nothing", TABLE(GEN_GNU, 16 + 32, 4), 0xffffffff, 0, 0 },
    { "a_gnu_bucket_below_the_first_symbol_finds_nothing", TABLE(GEN_GNU, 16 + 32, 4), 1, 0, 0 },
    { "a_gnu_first_symbol_past_all_finds_nothing", TABLE(GEN_GNU, 4, 4), 0xfffffff0, 0, 0 },
    { "a_gnu_shift_of_63_is_no_undefined_shift", TABLE(GEN_GNU, 12, 4), 63, 0, 0 },
    { "a_sysv_bucket_past_the_chains_ends", TABLE(GEN_SYSV, 8, 4), 0xffffffff, 0, 0 },
    { "a_sysv_chain_that_loops_ends", TABLE(GEN_SYSV, 8 + 3 * 4 + 4, 4), 1, 0, 0 },
    { "a_symbol_name_past_the_strings_is_no_name", TABLE(GEN_SYMTAB, 3 * sizeof(Elf64_Sym), 4), 0xffffffff, 0, 0 },
};

static void lookups_stay_inside(void **state)
{
    const struct row *row = *state;
    static struct elf elf;
    static const char *const names[] = { "alpha", "beta", "gamma", "variable", "puts", "", "zzz" };
    struct reading r;
    for (u32 way = 0; way < 2; way++) {
        elf_make(&elf, &whole);
        memcpy(elf.bytes + elf.at[row->index] + row->off, &row->value, row->width);
        if (way)
            elf_dyn_entry(&elf, DT_GNU_HASH)->d_tag = 0x12345;
        if (elf_read(&elf, &r, VIEW_MEMORY) == 0) {
            assert_true(image_symbol_count(&r.object.image) <= r.object.image.sym_limit);
            for (u32 i = 0; i < ARRAY_COUNT(names); i++) {
                struct symbol_want want = { .name = names[i] };
                want.gnu = gnu_hash_len(names[i], &want.len);
                const Elf64_Sym *found = image_find_symbol(&r.object.image, &want);
                if (found)
                    assert_string_equal(image_string(&r.object.image, found->st_name), names[i]);
            }
        }
        reading_free(&r);
    }
}

static void hashes_are_those_of_the_standard(void **state)
{
    (void)state;
    /* from the description of the GNU hash and from gABI figure 5-13, as readelf and ld compute them */
    assert_int_equal(gnu_hash_of(""), 5381);
    assert_int_equal(gnu_hash_of("printf"), 0x156b2bb8);
    assert_int_equal(gnu_hash_of("syscall"), 0xbac212a0);
    assert_int_equal(sysv_hash_of(""), 0);
    assert_int_equal(sysv_hash_of("printf"), 0x077905a6);
    assert_int_equal(sysv_hash_of("GLIBC_2.2.5"), 0x09691a75);
    u32 len;
    gnu_hash_len("printf", &len);
    assert_int_equal(len, 6);
}

static void symbol_counts_come_from_either_table(void **state)
{
    (void)state;
    static struct elf elf;
    struct reading r;
    elf_make(&elf, &whole);
    elf_dyn_entry(&elf, DT_HASH)->d_tag = 0x12345;
    assert_int_equal(elf_read(&elf, &r, VIEW_FILE), 0);
    assert_int_equal(image_symbol_count(&r.object.image), elf.symbol_count);
    reading_free(&r);
    /* nothing defined: only the first symbols, which no bucket reaches */
    static const struct gen_symbol only[] = { { .name = "puts", .undefined = true } };
    elf_make(&elf, &(struct gen_options){ .symbol = only, .symbol_count = 1 });
    assert_int_equal(elf_read(&elf, &r, VIEW_FILE), 0);
    assert_int_equal(image_symbol_count(&r.object.image), 2);
    reading_free(&r);
}

static void thread_local_without_a_tls_segment_is_nowhere(void **state)
{
    (void)state;
    static struct elf elf;
    struct reading r;
    static const struct gen_symbol one[] = { { .name = "t", .type = STT_TLS } };
    elf_make(&elf, &(struct gen_options){ .symbol = one, .symbol_count = 1 });
    elf_phdr(&elf, GEN_TLS)->p_type = PT_NULL;
    assert_int_equal(elf_read(&elf, &r, VIEW_FILE), 0);
    struct symbol_want want = { .name = "t", .len = 1, .gnu = gnu_hash_of("t") };
    assert_null(image_find_symbol(&r.object.image, &want));
    reading_free(&r);
}

int main(void)
{
    ROWS(verdicts, verdict_is);
    ROWS(lookups, lookup_ends);
    ROWS(lies, lookups_stay_inside);
    TEST(hashes_are_those_of_the_standard);
    TEST(symbol_counts_come_from_either_table);
    TEST(thread_local_without_a_tls_segment_is_nowhere);
    return tests_run("symbol");
}
