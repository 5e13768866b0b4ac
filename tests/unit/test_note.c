/* note.c: notes by owner and type, and GNU properties. */
#include "rows.h"

static struct elf elf;

static const u8 *find(const char *name, u32 type, u32 *len)
{
    static struct reading r;
    elf_read(&elf, &r, VIEW_MEMORY);
    const u8 *at = image_note(&r.object.image, &r.object.view, name, type, len);
    reading_free(&r);
    return at;
}

static void notes_are_found_by_owner_and_type(void **state)
{
    (void)state;
    u32 len = 0;
    elf_make(&elf, &whole);
    const u8 *id = find("GNU", NT_GNU_BUILD_ID, &len);
    assert_non_null(id);
    assert_int_equal(len, 20);
    assert_int_equal(id[0], 0xab);
    const u8 *own = find("ldr", 77, &len);
    assert_non_null(own);
    assert_int_equal(len, 8);
    assert_int_equal(own[0], 7);
    assert_null(find("ldr", 78, &len));
    assert_null(find("GNU ", NT_GNU_BUILD_ID, &len));
    assert_null(find("", 0, &len));
}

static const struct row rows[] = {
    { "notes_end_where_a_name_passes_the_segment", TABLE(GEN_NOTES, 0, 4), 0xfffffff0, 0, 0 },
    { "notes_end_where_a_payload_passes_the_segment", TABLE(GEN_NOTES, 4, 4), 0xffffffff, 0, 0 },
    { "notes_outside_every_segment_are_none", PHDR(GEN_NOTE, p_vaddr), 0x100000, 0, 0 },
    { "notes_longer_than_their_segment_are_none", PHDR(GEN_NOTE, p_memsz), 0x100000, 0, 0 },
    { "notes_at_an_odd_address_are_none", PHDR(GEN_NOTE, p_vaddr), 0x301, 0, 0 },
    { "notes_too_short_for_a_head_are_none", PHDR(GEN_NOTE, p_memsz), 11, 0, 0 },
};

static void build_id_is_lost(void **state)
{
    const struct row *row = *state;
    elf_make(&elf, &whole);
    if (row->kind == IN_PHDR)
        memcpy((char *)elf_phdr(&elf, GEN_NOTE) + row->off, &row->value, row->width);
    else
        memcpy(elf.bytes + elf.at[GEN_NOTES] + row->off, &row->value, row->width);
    u32 len = 0;
    assert_null(find("GNU", NT_GNU_BUILD_ID, &len));
    assert_null(find("ldr", 77, &len));
}

/* One property note with two properties, in place of the notes. */
static u32 property(u32 size_of_first, u32 type)
{
    static const u32 words[] = { 4, 0, NT_GNU_PROPERTY_TYPE_0, 0x554e47, 0xc0000002, 4, 3, 0, PROPERTY_X86_ISA_1_NEEDED, 4, 5, 0 };
    struct reading r;
    elf_make(&elf, &whole);
    u32 *at = (void *)(elf.bytes + elf.at[GEN_NOTES]);
    memcpy(at, words, sizeof words);
    at[1] = sizeof words - 16;
    at[5] = size_of_first;
    elf_phdr(&elf, GEN_NOTE)->p_align = 8;
    elf_phdr(&elf, GEN_NOTE)->p_memsz = sizeof words;
    *elf_phdr(&elf, GEN_STACK) = *elf_phdr(&elf, GEN_NOTE);
    elf_phdr(&elf, GEN_STACK)->p_type = PT_GNU_PROPERTY;
    elf_read(&elf, &r, VIEW_MEMORY);
    u32 value = image_property(&r.object.image, &r.object.view, type);
    reading_free(&r);
    return value;
}

static void properties_are_found(void **state)
{
    (void)state;
    assert_int_equal(property(4, 0xc0000002), 3);
    assert_int_equal(property(4, PROPERTY_X86_ISA_1_NEEDED), 5);
    assert_int_equal(property(4, PROPERTY_1_NEEDED), 0);
}

static void a_property_longer_than_its_note_ends_the_list(void **state)
{
    (void)state;
    assert_int_equal(property(0xffffffff, PROPERTY_X86_ISA_1_NEEDED), 0);
    assert_int_equal(property(1000, 0xc0000002), 0);
}

int main(void)
{
    ROWS(rows, build_id_is_lost);
    TEST(notes_are_found_by_owner_and_type);
    TEST(properties_are_found);
    TEST(a_property_longer_than_its_note_ends_the_list);
    return tests_run("note");
}
