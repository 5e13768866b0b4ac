/* header.c: the ELF header's fields, and the program headers other than PT_LOAD. */
#include "rows.h"

static const struct row rows[] = {
    { "header_accepts_the_undamaged_file", EHDR(e_flags), 0, 0, 0 },
    { "header_refuses_an_empty_file", FILE_LENGTH, 0, LDR_E_SHORT, 0 },
    { "header_refuses_a_file_one_byte_short_of_a_header", FILE_LENGTH, 63, LDR_E_SHORT, 0 },
    { "header_refuses_another_magic", IDENT(EI_MAG0), 0x7e, LDR_E_MAGIC, 0 },
    { "header_refuses_a_magic_wrong_in_its_last_letter", IDENT(EI_MAG3), 'f', LDR_E_MAGIC, 0 },
    { "header_refuses_32_bit_files", IDENT(EI_CLASS), ELFCLASS32, LDR_E_CLASS, EI_CLASS },
    { "header_refuses_class_0", IDENT(EI_CLASS), 0, LDR_E_CLASS, EI_CLASS },
    { "header_refuses_big_endian", IDENT(EI_DATA), ELFDATA2MSB, LDR_E_DATA, EI_DATA },
    { "header_refuses_ident_version_2", IDENT(EI_VERSION), 2, LDR_E_IDENT_VERSION, EI_VERSION },
    { "header_refuses_another_systems_abi", IDENT(EI_OSABI), ELFOSABI_FREEBSD, LDR_E_OSABI, EI_OSABI },
    { "header_accepts_the_gnu_abi", IDENT(EI_OSABI), ELFOSABI_GNU, 0, 0 },
    { "header_refuses_abi_version_4", IDENT(EI_ABIVERSION), 4, LDR_E_ABI_VERSION, EI_ABIVERSION },
    { "header_accepts_abi_version_3", IDENT(EI_ABIVERSION), 3, 0, 0 },
    { "header_refuses_file_version_0", EHDR(e_version), 0, LDR_E_FILE_VERSION, 20 },
    { "header_refuses_another_machine", EHDR(e_machine), EM_AARCH64, LDR_E_MACHINE, 18 },
    { "header_refuses_relocatable_files", EHDR(e_type), ET_REL, LDR_E_TYPE, 16 },
    { "header_refuses_core_files", EHDR(e_type), ET_CORE, LDR_E_TYPE, 16 },
    { "header_accepts_fixed_address_programs", EHDR(e_type), ET_EXEC, 0, 0 },
    { "header_refuses_another_phentsize", EHDR(e_phentsize), 32, LDR_E_PHENTSIZE, 54 },

    { "phdrs_refuse_a_tls_alignment_of_3", PHDR(GEN_TLS, p_align), 3, LDR_E_TLS_ALIGN, GEN_TLS_AT },
    { "phdrs_accept_a_tls_alignment_of_0", PHDR(GEN_TLS, p_align), 0, 0, 0 },
    { "phdrs_refuse_a_tls_alignment_of_2_GiB", PHDR(GEN_TLS, p_align), 1ull << 31, LDR_E_TLS_RANGE, GEN_TLS_AT },
    { "phdrs_refuse_a_tls_image_larger_than_its_block", PHDR(GEN_TLS, p_filesz), 65, LDR_E_TLS_RANGE, GEN_TLS_AT },
    { "phdrs_refuse_a_tls_block_of_2_TiB", PHDR(GEN_TLS, p_memsz), 1ull << 41, LDR_E_TLS_RANGE, GEN_TLS_AT },
    { "phdrs_refuse_a_tls_image_outside_the_segments", PHDR(GEN_TLS, p_vaddr), 0x100000, LDR_E_TLS_RANGE, 16 },
    { "phdrs_refuse_a_tls_image_that_wraps", PHDR(GEN_TLS, p_vaddr), ~7ull, LDR_E_TLS_RANGE, 16 },
    { "phdrs_ignore_an_empty_tls_segment", PHDR(GEN_TLS, p_memsz), 0, 0, 0 },
    { "phdrs_refuse_relro_that_wraps", PHDR(GEN_RELRO, p_memsz), ~0ull, LDR_E_RELRO_RANGE, ANY_PLACE },
    { "phdrs_refuse_relro_past_the_span", PHDR(GEN_RELRO, p_memsz), 0x10000, LDR_E_RELRO_RANGE, 0x10000 },
    { "phdrs_accept_relro_of_part_of_a_page", PHDR(GEN_RELRO, p_vaddr), GEN_CODE, 0, 0 },
    { "phdrs_refuse_a_dynamic_section_at_0", PHDR(GEN_DYNAMIC, p_vaddr), 0, LDR_E_DYN_RANGE, 0 },
};

/* RELRO of whole pages: over code it would take away x, over a hole it would give r. */
static void relro_must_stay_on_writable_pages(void **state)
{
    (void)state;
    static struct elf elf;
    struct reading r;
    elf_make(&elf, &whole);
    elf_phdr(&elf, GEN_RELRO)->p_vaddr = GEN_CODE;
    elf_phdr(&elf, GEN_RELRO)->p_memsz = 0x1000;
    assert_int_equal(elf_read(&elf, &r, VIEW_FILE), LDR_E_RELRO_RANGE);
    reading_free(&r);
    elf_phdr(&elf, GEN_RELRO)->p_vaddr = GEN_RW;
    assert_int_equal(elf_read(&elf, &r, VIEW_FILE), 0);
    reading_free(&r);
}

static void phdrs_give_the_image_its_facts(void **state)
{
    (void)state;
    static struct elf elf;
    struct reading r;
    elf_make(&elf, &whole);
    assert_int_equal(elf_read(&elf, &r, VIEW_FILE), 0);
    const struct image *image = &r.object.image;
    assert_int_equal(image->dyn_vaddr, GEN_RW);
    assert_int_equal(image->tls_vaddr, GEN_TLS_AT);
    assert_int_equal(image->tls_filesz, 16);
    assert_int_equal(image->tls_memsz, 64);
    assert_int_equal(image->tls_align, 16);
    assert_int_equal(image->relro_vaddr, GEN_RW);
    assert_int_equal(image->relro_len, 0x400);
    assert_int_equal(image->stack_flags, PF_R | PF_W);
    assert_int_equal(image->writable_lo, GEN_RW);
    assert_int_equal(image->writable_hi, GEN_MEM_END);
    reading_free(&r);
    elf_phdr(&elf, GEN_STACK)->p_type = PT_NULL;       /* no PT_GNU_STACK: the old default */
    assert_int_equal(elf_read(&elf, &r, VIEW_FILE), 0);
    assert_int_equal(r.object.image.stack_flags, PF_R | PF_W | PF_X);
    reading_free(&r);
}

/* Runs of writable segments: which range relocation may write without a second look. */
static const struct run {
    const char *name;
    struct { u64 vaddr, memsz; u32 flags; } seg[4];
    u64 lo, hi;
} runs[] = {
    { "writable_run_is_the_only_writable_segment", { { 0x1000, 0x100, PF_R }, { 0x2000, 0x300, PF_R | PF_W } }, 0x2000, 0x2300 },
    { "writable_run_joins_segments_on_neighbouring_pages", { { 0x1000, 0x800, PF_R | PF_W }, { 0x2000, 0x300, PF_R | PF_W } }, 0x1000, 0x2300 },
    { "writable_run_does_not_cross_code", { { 0x1000, 0x100, PF_R | PF_W }, { 0x2000, 0x100, PF_R | PF_X }, { 0x3000, 0x200, PF_R | PF_W } },
      0x3000, 0x3200 },
    { "writable_run_does_not_cross_a_hole", { { 0x1000, 0x900, PF_R | PF_W }, { 0x5000, 0x200, PF_R | PF_W } }, 0x1000, 0x1900 },
    { "writable_run_is_empty_without_a_writable_segment", { { 0x1000, 0x100, PF_R } }, 0, 0 },
    { "writable_run_is_empty_when_shorter_than_a_word", { { 0x1000, 0x100, PF_R }, { 0x2000, 7, PF_R | PF_W } }, 0, 0 },
    { "writable_run_of_one_word_counts", { { 0x2000, 8, PF_R | PF_W } }, 0x2000, 0x2008 },
};

static void run_is_found(void **state)
{
    const struct run *row = *state;
    Elf64_Phdr ph[4];
    u16 count = 0;
    for (; count < 4 && row->seg[count].memsz; count++)
        ph[count] = (Elf64_Phdr){ PT_LOAD, row->seg[count].flags, row->seg[count].vaddr, row->seg[count].vaddr, 0, row->seg[count].memsz,
                                  row->seg[count].memsz, LDR_PAGE };
    struct arena arena;
    test_arena(&arena);
    struct image image = { .path = "run" };
    assert_int_equal(image_read_phdrs(&image, ph, count, 0, &arena, &test_report), 0);
    assert_int_equal(image.writable_lo, row->lo);
    assert_int_equal(image.writable_hi, row->hi);
    test_arena_free(&arena);
}

static void header_need_not_be_aligned(void **state)
{
    (void)state;
    static struct elf elf;
    static u8 odd[GEN_FILE_END + 1];
    elf_make(&elf, &whole);
    memcpy(odd + 1, elf.bytes, GEN_FILE_END);
    assert_int_equal(image_check_header(odd + 1, GEN_FILE_END, "odd", &test_report), 0);
    odd[1] = 0;
    assert_int_equal(image_check_header(odd + 1, GEN_FILE_END, "odd", &test_report), -LDR_E_MAGIC);
}

int main(void)
{
    ROWS(rows, row_is_judged);
    ROWS(runs, run_is_found);
    TEST(relro_must_stay_on_writable_pages);
    TEST(phdrs_give_the_image_its_facts);
    TEST(header_need_not_be_aligned);
    return tests_run("header");
}
