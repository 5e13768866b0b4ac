/* arch/x86_64: relocation types as classes and names (reloc.c), the CPU level (cpu.c), what a function begins with (code.c). */
#include "elfgen.h"

#include "../../ldr/arch/arch.h"

static const struct row { const char *name; u32 type; u32 class, width; bool is_signed, function_only, data; } rows[] = {
    { "R_X86_64_NONE", 0, RELOC_NONE, 0, false, false, false },
    { "R_X86_64_64", 1, RELOC_SYMBOL, 8, false, false, false },
    { "R_X86_64_PC32", 2, RELOC_PC, 4, true, false, false },
    { "R_X86_64_COPY", 5, RELOC_COPY, 0, false, false, false },
    { "R_X86_64_GLOB_DAT", 6, RELOC_SYMBOL, 8, false, false, true },
    { "R_X86_64_JUMP_SLOT", 7, RELOC_SYMBOL, 8, false, true, false },
    { "R_X86_64_RELATIVE", 8, RELOC_RELATIVE, 8, false, false, false },
    { "R_X86_64_32", 10, RELOC_SYMBOL, 4, false, false, false },
    { "R_X86_64_DTPMOD64", 16, RELOC_TLS_MODULE, 8, false, true, false },
    { "R_X86_64_DTPOFF64", 17, RELOC_TLS_OFFSET, 8, false, true, false },
    { "R_X86_64_TPOFF64", 18, RELOC_TLS_TPOFF, 8, false, true, false },
    { "R_X86_64_SIZE32", 32, RELOC_SIZE, 4, false, false, false },
    { "R_X86_64_SIZE64", 33, RELOC_SIZE, 8, false, false, false },
    { "R_X86_64_TLSDESC", 36, RELOC_TLS_DESC, 16, false, true, false },
    { "R_X86_64_IRELATIVE", 37, RELOC_IRELATIVE, 8, false, false, false },
    { "R_X86_64_RELATIVE64", 38, RELOC_RELATIVE, 8, false, false, false },
    { "R_X86_64_32S", 11, RELOC_UNKNOWN, 0, false, false, false },
};

static void type_is(void **state)
{
    const struct row *row = *state;
    struct reloc_kind kind = arch_reloc_kind(row->type);
    assert_int_equal(kind.class, row->class);
    assert_int_equal(kind.width, row->width);
    assert_int_equal(kind.is_signed, row->is_signed);
    assert_int_equal(kind.function_only, row->function_only);
    assert_int_equal(kind.data_address, row->data);
    assert_string_equal(arch_reloc_name(row->type), row->name);
}

static void unknown_types_have_no_name(void **state)
{
    (void)state;
    assert_null(arch_reloc_name(1000));
    assert_int_equal(arch_reloc_kind(1000).class, RELOC_UNKNOWN);
    assert_int_equal(arch_reloc_kind(0xffffffff).class, RELOC_UNKNOWN);
}

/* The same CPU, asked through the compiler's own table. */
static void cpu_level_is_what_the_compiler_sees(void **state)
{
    (void)state;
    __builtin_cpu_init();
    u32 level = arch_cpu_level();
    assert_in_range(level, 1, 4);
    assert_int_equal(level >= 2, __builtin_cpu_supports("x86-64-v2") != 0);
    assert_int_equal(level >= 3, __builtin_cpu_supports("x86-64-v3") != 0);
    assert_int_equal(level >= 4, __builtin_cpu_supports("x86-64-v4") != 0);
}

/* At 0x1000; displacements count from the end of the test, 7 bytes or 11. */
static const struct function { const char *name; u8 code[ARCH_ONCE_BYTES]; u64 flag; } functions[] = {
    { "behind", { 0x80, 0x3d, 0x21, 0x43, 0x00, 0x00, 0x00, 0x75, 0x2b, 0xc6, 0x05, 0x18, 0x43, 0x00, 0x00, 0x01 }, 0x1007 + 0x4321 },
    { "guarded", { 0xf3, 0x0f, 0x1e, 0xfa, 0x80, 0x3d, 0x21, 0x43, 0x00, 0x00, 0x00, 0x75, 0x2b, 0xc6, 0x05, 0x18, 0x43, 0x00, 0x00, 0x01 }, 0x100b + 0x4321 },
    { "before", { 0x80, 0x3d, 0xf9, 0xff, 0xff, 0xff, 0x00, 0x75, 0x2b, 0xc6, 0x05, 0xf0, 0xff, 0xff, 0xff, 0x01 }, 0x1000 },
    { "set at the last place", { 0x80, 0x3d, 0x21, 0x43, 0x00, 0x00, 0x00, 0x75, 0x2b, [57] = 0xc6, 0x05, 0xe8, 0x42, 0x00, 0x00, 0x01 }, 0x1007 + 0x4321 },
    { "asked for only", { 0x80, 0x3d, 0x21, 0x43, 0x00, 0x00, 0x00, 0x75, 0x2b }, 0 },
    { "another is set", { 0x80, 0x3d, 0x21, 0x43, 0x00, 0x00, 0x00, 0x75, 0x2b, 0xc6, 0x05, 0x19, 0x43, 0x00, 0x00, 0x01 }, 0 },
    { "made zero", { 0x80, 0x3d, 0x21, 0x43, 0x00, 0x00, 0x00, 0x75, 0x2b, 0xc6, 0x05, 0x18, 0x43, 0x00, 0x00, 0x00 }, 0 },
    { "compared with one", { 0x80, 0x3d, 0x21, 0x43, 0x00, 0x00, 0x01, 0x75, 0x2b }, 0 },
    { "another jump", { 0x80, 0x3d, 0x21, 0x43, 0x00, 0x00, 0x00, 0x74, 0x2b }, 0 },
    { "by a register", { 0x80, 0x3b, 0x00, 0x75, 0x2b }, 0 },
    { "another operation", { 0x80, 0x25, 0x21, 0x43, 0x00, 0x00, 0x00, 0x75, 0x2b }, 0 },
    { "a word", { 0x81, 0x3d, 0x21, 0x43, 0x00, 0x00, 0x00, 0x75, 0x2b }, 0 },
    { "half a guard", { 0xf3, 0x0f, 0x1e, 0xfb, 0x80, 0x3d, 0x21, 0x43, 0x00, 0x00, 0x00, 0x75 }, 0 },
};

static void flag_is_found(void **state)
{
    const struct function *row = *state;
    assert_int_equal(arch_once_flag(row->code, 0x1000), row->flag);
}

int main(void)
{
    ROWS(rows, type_is);
    ROWS(functions, flag_is_found);
    TEST(unknown_types_have_no_name);
    TEST(cpu_level_is_what_the_compiler_sees);
    return tests_run("reloc");
}
