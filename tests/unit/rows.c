/* rows.c - see rows.h. */
#include "rows.h"

static const struct gen_symbol symbols[] = {
    { .name = "puts", .version = "DEP_1", .undefined = true },
    { .name = "read", .version = "DEP_2", .undefined = true },
    { .name = "alpha", .version = "LIB_1" },
    { .name = "beta", .version = "LIB_2" },
    { .name = "gamma" },
    { .name = "variable", .version = "LIB_1", .type = STT_OBJECT, .value = GEN_DATA, .size = 8 },
};
const struct gen_options whole = { .symbol = symbols, .symbol_count = ARRAY_COUNT(symbols), .sysv = true, .rel = true, .relr = true,
                                   .soname = "test.so", .runpath = "/lib", .needed = "libdep.so.1" };

void row_is_judged(void **state)
{
    const struct row *row = *state;
    static struct elf elf;
    struct reading r;
    for (enum view_rule rule = VIEW_MEMORY; rule <= VIEW_FILE; rule++) {
        elf_make(&elf, &whole);
        switch (row->kind) {
        case IN_EHDR: memcpy(elf.bytes + row->off, &row->value, row->width); break;
        case IN_PHDR: memcpy((char *)elf_phdr(&elf, (enum gen_phdr)row->index) + row->off, &row->value, row->width); break;
        case IN_DYN: *elf_dyn(&elf, row->index) = row->value; break;
        case IN_DYN_TAG: elf_dyn_entry(&elf, row->index)->d_tag = (i64)row->value; break;
        case IN_TABLE:
            assert_true(elf.at[row->index] != 0);
            memcpy(elf.bytes + elf.at[row->index] + row->off, &row->value, row->width);
            break;
        case CUT: elf.len = row->value; break;
        }
        elf_read(&elf, &r, rule);
        assert_string_equal(ldr_error_field(r.code), ldr_error_field(row->code));
        assert_int_equal(r.code, row->code);
        assert_int_equal(r.problems, row->code != 0);
        if (row->code) {
            assert_int_equal(r.problem.code, row->code);
            assert_string_equal(r.problem.object, "test.so");
            if (row->place != ANY_PLACE)
                assert_int_equal(r.problem.place, row->place);
        }
        reading_free(&r);
    }
}
