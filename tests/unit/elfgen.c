/* elfgen.c - see elfgen.h. */
#include "elfgen.h"

/* ---- recording, arenas, tables of tests ------------------------------------------------------------------------------ */

struct problem test_problem;
u32 test_problems;
static bool met[LDR_E_COUNT];

static void take(struct report *report, const struct problem *problem)
{
    (void)report;
    if (!test_problems++)
        test_problem = *problem;
    if (problem->code > 0 && problem->code < LDR_E_COUNT)
        met[problem->code] = true;
}
struct report test_report = { take };

static void *heap_more(struct arena *arena, size_t need, size_t *got)
{
    char *chunk = malloc(need + 16);
    if (!chunk)
        return NULL;
    *(void **)(void *)chunk = arena->chunks;
    arena->chunks = chunk;
    *got = need;
    return chunk + 16;
}

void test_arena(struct arena *arena) { *arena = (struct arena){ .more = heap_more }; }

void test_arena_free(struct arena *arena)
{
    for (void *chunk = arena->chunks, *next; chunk; chunk = next) {
        next = *(void **)chunk;
        free(chunk);
    }
    *arena = (struct arena){ 0 };
}

static void *no_more(struct arena *arena, size_t need, size_t *got)
{
    (void)arena;
    (void)need;
    (void)got;
    return NULL;
}

struct arena short_arena(void) { return (struct arena){ .more = no_more }; }

static struct CMUnitTest tests[1024];
static size_t test_count;

void rows_add(const void *table, size_t size, size_t count, size_t name_at, void (*function)(void **))
{
    for (size_t i = 0; i < count; i++) {
        const char *row = (const char *)table + i * size;
        assert_true(test_count < ARRAY_COUNT(tests));
        tests[test_count++] = (struct CMUnitTest){ *(const char *const *)(const void *)(row + name_at), function, NULL, NULL, (void *)row };
    }
}

void test_add(const char *name, void (*function)(void **))
{
    tests[test_count++] = (struct CMUnitTest){ name, function, NULL, NULL, NULL };
}

int tests_run(const char *group)
{
    int failures = _cmocka_run_group_tests(group, tests, test_count, NULL, NULL);
    const char *path = getenv("UNIT_CODES");
    FILE *out = path ? fopen(path, "a") : NULL;
    if (out) {
#define NAME_(name, text, field) if (met[LDR_E_##name]) fprintf(out, "LDR_E_" #name "\n");
        LDR_ERRORS(NAME_)
        fclose(out);
    }
    return failures;
}

/* ---- building --------------------------------------------------------------------------------------------------------- */

struct build {
    struct elf *elf;
    const struct gen_options *options;
    u32 next;                         /* next free offset of the read-only segment */
    u32 order[256];                   /* symbol table order: options.symbol index of each entry but 0 */
    const char *version[32];          /* distinct names; definitions first */
    u32 defined_versions, versions;
};

static u32 place(struct build *b, enum gen_part part, u32 len)
{
    u32 at = (b->next + 15) & ~15u;
    assert_true(at + len <= GEN_TABLES);
    b->next = at + len;
    b->elf->at[part] = at;
    return at;
}

static u32 string(struct build *b, const char *s)
{
    u32 at = b->elf->strtab_len, len = (u32)strlen(s) + 1;
    assert_true(at + len <= 0x1800);
    memcpy(b->elf->bytes + b->elf->at[GEN_STRTAB] + at, s, len);
    b->elf->strtab_len += len;
    return at;
}

static bool is_hashed(const struct gen_symbol *s) { return !s->undefined || s->value; }

static void order_symbols(struct build *b)
{
    const struct gen_options *o = b->options;
    u32 buckets = o->buckets ? o->buckets : 3, n = 1;
    for (u32 i = 0; i < o->symbol_count; i++)
        if (!is_hashed(&o->symbol[i]))
            b->order[n++] = i;
    b->elf->first_hashed = n;
    for (u32 bucket = 0; bucket < buckets; bucket++)
        for (u32 i = 0; i < o->symbol_count; i++)
            if (is_hashed(&o->symbol[i]) && gnu_hash_of(o->symbol[i].name) % buckets == bucket)
                b->order[n++] = i;
    b->elf->symbol_count = n;
    for (u32 k = 1; k < n; k++)
        b->elf->number[b->order[k]] = k;
}

static u32 version_number(const struct build *b, const char *name, bool definition)
{
    for (u32 i = definition ? 0 : b->defined_versions; i < (definition ? b->defined_versions : b->versions); i++)
        if (strcmp(b->version[i], name) == 0)
            return i + 2;
    return 0;
}

static void put_symbols(struct build *b)
{
    const struct gen_options *o = b->options;
    Elf64_Sym *sym = (void *)(b->elf->bytes + place(b, GEN_SYMTAB, b->elf->symbol_count * (u32)sizeof *sym));
    place(b, GEN_STRTAB, 0x1800);
    b->elf->strtab_len = 0;
    string(b, "");
    for (u32 k = 1; k < b->elf->symbol_count; k++) {
        const struct gen_symbol *s = &o->symbol[b->order[k]];
        sym[k] = (Elf64_Sym){ .st_name = string(b, s->name), .st_size = s->size, .st_other = s->visibility,
                              .st_info = ELF64_ST_INFO(s->bind ? s->bind : STB_GLOBAL, s->type ? s->type : STT_FUNC),
                              .st_shndx = s->undefined ? SHN_UNDEF : s->absolute ? SHN_ABS : 5,
                              .st_value = s->value || s->undefined ? s->value : GEN_CODE + 16ull * b->order[k] % GEN_CODE_LEN };
    }
}

static void put_gnu(struct build *b)
{
    u32 buckets = b->options->buckets ? b->options->buckets : 3, words = 4, shift = 6, first = b->elf->first_hashed, count = b->elf->symbol_count;
    u32 *at = (void *)(b->elf->bytes + place(b, GEN_GNU, 16 + words * 8 + buckets * 4 + (count - first) * 4));
    at[0] = buckets, at[1] = first, at[2] = words, at[3] = shift;
    u64 *bloom = (void *)(at + 4);
    u32 *bucket = (void *)(bloom + words), *chain = bucket + buckets;
    for (u32 k = first; k < count; k++) {
        u32 h = gnu_hash_of(b->options->symbol[b->order[k]].name);
        bloom[h / 64 % words] |= 1ull << h % 64 | 1ull << (h >> shift) % 64;
        if (!bucket[h % buckets])
            bucket[h % buckets] = k;
        bool last = k + 1 == count || gnu_hash_of(b->options->symbol[b->order[k + 1]].name) % buckets != h % buckets;
        chain[k - first] = (h & ~1u) | last;
    }
}

static void put_sysv(struct build *b)
{
    u32 buckets = b->options->buckets ? b->options->buckets : 3, count = b->elf->symbol_count;
    u32 *at = (void *)(b->elf->bytes + place(b, GEN_SYSV, 8 + (buckets + count) * 4));
    at[0] = buckets, at[1] = count;
    for (u32 k = 1; k < count; k++) {
        u32 *bucket = &at[2 + sysv_hash_of(b->options->symbol[b->order[k]].name) % buckets];
        at[2 + buckets + k] = *bucket;
        *bucket = k;
    }
}

static void put_versions(struct build *b)
{
    const struct gen_options *o = b->options;
    for (u32 pass = 0; pass < 2; pass++) {
        for (u32 i = 0; i < o->symbol_count; i++)
            if (o->symbol[i].version && o->symbol[i].undefined == (pass == 1) && !version_number(b, o->symbol[i].version, pass == 0))
                b->version[b->versions++] = o->symbol[i].version, b->defined_versions += pass == 0;
    }
    if (o->no_versions || !b->versions)
        return;
    u16 *versym = (void *)(b->elf->bytes + place(b, GEN_VERSYM, b->elf->symbol_count * 2));
    for (u32 k = 1; k < b->elf->symbol_count; k++) {
        const struct gen_symbol *s = &o->symbol[b->order[k]];
        versym[k] = (u16)((s->version ? version_number(b, s->version, !s->undefined) : 1) | (s->hidden ? 0x8000 : 0));
    }
    u32 step = sizeof(Elf64_Verdef) + sizeof(Elf64_Verdaux), defs = b->defined_versions + 1;
    u32 at = place(b, GEN_VERDEF, defs * step);
    for (u32 i = 0; i < defs; i++) {
        const char *name = i ? b->version[i - 1] : "base";
        Elf64_Verdef *vd = (void *)(b->elf->bytes + at + i * step);
        *vd = (Elf64_Verdef){ .vd_version = 1, .vd_flags = i ? 0 : VER_FLG_BASE, .vd_ndx = (u16)(i + 1), .vd_cnt = 1, .vd_hash = sysv_hash_of(name),
                              .vd_aux = sizeof *vd, .vd_next = i + 1 < defs ? step : 0 };
        *(Elf64_Verdaux *)(void *)(vd + 1) = (Elf64_Verdaux){ .vda_name = string(b, name) };
    }
    u32 needs = b->versions - b->defined_versions;
    if (!needs)
        return;
    at = place(b, GEN_VERNEED, (u32)sizeof(Elf64_Verneed) + needs * (u32)sizeof(Elf64_Vernaux));
    Elf64_Verneed *vn = (void *)(b->elf->bytes + at);
    *vn = (Elf64_Verneed){ .vn_version = 1, .vn_cnt = (u16)needs, .vn_file = string(b, "libdep.so.1"), .vn_aux = sizeof *vn };
    Elf64_Vernaux *va = (void *)(vn + 1);
    for (u32 i = 0; i < needs; i++) {
        const char *name = b->version[b->defined_versions + i];
        va[i] = (Elf64_Vernaux){ .vna_hash = sysv_hash_of(name), .vna_other = (u16)(b->defined_versions + i + 2), .vna_name = string(b, name),
                                 .vna_next = i + 1 < needs ? sizeof *va : 0 };
    }
}

static void put_relocations(struct build *b)
{
    Elf64_Rela *rela = (void *)(b->elf->bytes + place(b, GEN_RELA, 2 * sizeof *rela));
    rela[0] = (Elf64_Rela){ GEN_DATA, R_X86_64_RELATIVE, GEN_CODE };
    rela[1] = (Elf64_Rela){ GEN_DATA + 8, ELF64_R_INFO(b->elf->symbol_count > 1, R_X86_64_GLOB_DAT), 0 };
    Elf64_Rela *plt = (void *)(b->elf->bytes + place(b, GEN_JMPREL, sizeof *plt));
    *plt = (Elf64_Rela){ GEN_DATA + 16, ELF64_R_INFO(b->elf->symbol_count > 1, R_X86_64_JUMP_SLOT), 0 };
    if (b->options->rel)
        *(Elf64_Rel *)(void *)(b->elf->bytes + place(b, GEN_REL, sizeof(Elf64_Rel))) = (Elf64_Rel){ GEN_DATA + 24, R_X86_64_RELATIVE };
    if (b->options->relr)
        *(u64 *)(void *)(b->elf->bytes + place(b, GEN_RELR, 8)) = GEN_DATA + 32;
}

/* A build-id, then a property note with one 4-byte property; 4-byte notes first, as PT_NOTE with p_align 4 has them. */
static void put_notes(struct build *b)
{
    static const struct { Elf64_Nhdr head; char name[4]; u8 id[20]; } id = { { 4, 20, NT_GNU_BUILD_ID }, "GNU", { 0xab, 0xcd, 3 } };
    static const struct { Elf64_Nhdr head; char name[4]; u32 word[2]; } other = { { 4, 8, 77 }, "ldr", { 7, 8 } };
    u32 at = place(b, GEN_NOTES, sizeof id + sizeof other);
    memcpy(b->elf->bytes + at, &id, sizeof id);
    memcpy(b->elf->bytes + at + sizeof id, &other, sizeof other);
}

static void put_dynamic(struct build *b)
{
    const struct gen_options *o = b->options;
    struct elf *elf = b->elf;
    Elf64_Dyn *d = (void *)(elf->bytes + GEN_RW), *first = d;
    elf->at[GEN_DYN] = GEN_RW;
#define PUT(tag, value) (*d++ = (Elf64_Dyn){ (tag), { (u64)(value) } })
    if (o->needed)
        PUT(DT_NEEDED, string(b, o->needed));
    if (o->soname)
        PUT(DT_SONAME, string(b, o->soname));
    if (o->rpath)
        PUT(DT_RPATH, string(b, o->rpath));
    if (o->runpath)
        PUT(DT_RUNPATH, string(b, o->runpath));
    PUT(DT_SYMTAB, elf->at[GEN_SYMTAB]), PUT(DT_SYMENT, sizeof(Elf64_Sym));
    if (elf->at[GEN_GNU])
        PUT(DT_GNU_HASH, elf->at[GEN_GNU]);
    if (elf->at[GEN_SYSV])
        PUT(DT_HASH, elf->at[GEN_SYSV]);
    if (elf->at[GEN_VERSYM])
        PUT(DT_VERSYM, elf->at[GEN_VERSYM]), PUT(DT_VERDEF, elf->at[GEN_VERDEF]), PUT(DT_VERDEFNUM, b->defined_versions + 1);
    if (elf->at[GEN_VERNEED])
        PUT(DT_VERNEED, elf->at[GEN_VERNEED]), PUT(DT_VERNEEDNUM, 1);
    PUT(DT_RELA, elf->at[GEN_RELA]), PUT(DT_RELASZ, 2 * sizeof(Elf64_Rela)), PUT(DT_RELAENT, sizeof(Elf64_Rela)), PUT(DT_RELACOUNT, 1);
    PUT(DT_JMPREL, elf->at[GEN_JMPREL]), PUT(DT_PLTRELSZ, sizeof(Elf64_Rela)), PUT(DT_PLTREL, DT_RELA), PUT(DT_PLTGOT, GEN_DATA);
    if (o->rel)
        PUT(DT_REL, elf->at[GEN_REL]), PUT(DT_RELSZ, sizeof(Elf64_Rel)), PUT(DT_RELENT, sizeof(Elf64_Rel));
    if (o->relr)
        PUT(DT_RELR, elf->at[GEN_RELR]), PUT(DT_RELRSZ, 8), PUT(DT_RELRENT, 8);
    PUT(DT_INIT, GEN_CODE), PUT(DT_FINI, GEN_CODE + 16);
    PUT(DT_INIT_ARRAY, GEN_ARRAYS), PUT(DT_INIT_ARRAYSZ, 16), PUT(DT_FINI_ARRAY, GEN_ARRAYS + 16), PUT(DT_FINI_ARRAYSZ, 16);
    PUT(DT_PREINIT_ARRAY, GEN_ARRAYS + 32), PUT(DT_PREINIT_ARRAYSZ, 16);
    PUT(DT_FLAGS, 0), PUT(DT_FLAGS_1, 0);
    PUT(DT_STRTAB, elf->at[GEN_STRTAB]), PUT(DT_STRSZ, elf->strtab_len);
    PUT(DT_NULL, 0);
#undef PUT
    assert_true((u64)(d - first) * sizeof *d <= GEN_ARRAYS - GEN_RW);
    *elf_phdr(elf, GEN_DYNAMIC) = (Elf64_Phdr){ PT_DYNAMIC, PF_R | PF_W, GEN_RW, GEN_RW, GEN_RW, (u64)(d - first) * sizeof *d,
                                                (u64)(d - first) * sizeof *d, 8 };
}

void elf_make(struct elf *elf, const struct gen_options *options)
{
    memset(elf, 0, sizeof *elf);
    struct build b = { .elf = elf, .options = options };
    elf->len = GEN_FILE_END;
    *elf_header(elf) = (Elf64_Ehdr){ .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT }, .e_type = ET_DYN,
                                     .e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_entry = GEN_CODE, .e_phoff = sizeof(Elf64_Ehdr),
                                     .e_ehsize = sizeof(Elf64_Ehdr), .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = GEN_PHNUM };
    elf->at[GEN_PHDRS] = sizeof(Elf64_Ehdr);
    b.next = sizeof(Elf64_Ehdr) + GEN_PHNUM * sizeof(Elf64_Phdr);
    order_symbols(&b);
    put_symbols(&b);
    if (!options->no_gnu)
        put_gnu(&b);
    if (options->sysv)
        put_sysv(&b);
    put_versions(&b);
    put_relocations(&b);
    put_notes(&b);
    put_dynamic(&b);
    *elf_phdr(elf, GEN_LOAD_R) = (Elf64_Phdr){ PT_LOAD, PF_R, 0, 0, 0, GEN_TABLES, GEN_TABLES, LDR_PAGE };
    *elf_phdr(elf, GEN_LOAD_RX) = (Elf64_Phdr){ PT_LOAD, PF_R | PF_X, GEN_CODE, GEN_CODE, GEN_CODE, GEN_CODE_LEN, GEN_CODE_LEN, LDR_PAGE };
    *elf_phdr(elf, GEN_LOAD_RW) = (Elf64_Phdr){ PT_LOAD, PF_R | PF_W, GEN_RW, GEN_RW, GEN_RW, GEN_FILE_END - GEN_RW, GEN_MEM_END - GEN_RW, LDR_PAGE };
    *elf_phdr(elf, GEN_TLS) = (Elf64_Phdr){ PT_TLS, PF_R, GEN_TLS_AT, GEN_TLS_AT, GEN_TLS_AT, 16, 64, 16 };
    *elf_phdr(elf, GEN_RELRO) = (Elf64_Phdr){ PT_GNU_RELRO, PF_R, GEN_RW, GEN_RW, GEN_RW, 0x400, 0x400, 1 };
    *elf_phdr(elf, GEN_STACK) = (Elf64_Phdr){ PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 16 };
    *elf_phdr(elf, GEN_NOTE) = (Elf64_Phdr){ PT_NOTE, PF_R, elf->at[GEN_NOTES], elf->at[GEN_NOTES], elf->at[GEN_NOTES], b.next - elf->at[GEN_NOTES],
                                             b.next - elf->at[GEN_NOTES], 4 };
}

Elf64_Ehdr *elf_header(struct elf *elf) { return (void *)elf->bytes; }
Elf64_Phdr *elf_phdr(struct elf *elf, enum gen_phdr which) { return (Elf64_Phdr *)(void *)(elf->bytes + sizeof(Elf64_Ehdr)) + which; }

Elf64_Dyn *elf_dyn_entry(struct elf *elf, i64 tag)
{
    for (Elf64_Dyn *d = (void *)(elf->bytes + GEN_RW); ; d++) {
        if (d->d_tag == tag)
            return d;
        if (d->d_tag == DT_NULL)
            fail_msg("the image has no dynamic entry %#llx", (unsigned long long)tag);
    }
}

u64 *elf_dyn(struct elf *elf, i64 tag) { return &elf_dyn_entry(elf, tag)->d_un.d_val; }

/* ---- reading ---------------------------------------------------------------------------------------------------------- */

static int read_steps(struct elf *elf, struct reading *r, enum view_rule rule)
{
    struct image *image = &r->object.image;
    int err = image_check_header(elf->bytes, elf->len, image->path, &test_report);
    if (err)
        return err;
    const Elf64_Ehdr *eh = elf_header(elf);
    assert_true(eh->e_phnum <= ARRAY_COUNT(r->phdr) && eh->e_phoff + eh->e_phnum * sizeof(Elf64_Phdr) <= sizeof elf->bytes);
    memcpy(r->phdr, elf->bytes + eh->e_phoff, eh->e_phnum * sizeof(Elf64_Phdr));
    image->type = eh->e_type;
    image->entry = eh->e_entry;
    if ((err = image_read_phdrs(image, r->phdr, eh->e_phnum, elf->len, &r->arena, &test_report)))
        return err;
    r->object.view = (struct view){ .bytes = elf->bytes, .plan = &image->plan, .rule = rule };
    if (rule == VIEW_MEMORY) {
        memset(elf->memory, 0, sizeof elf->memory);
        memcpy(elf->memory, elf->bytes, elf->len);
        r->object.view.bytes = elf->memory;
        r->object.bias = (u64)elf->memory;
    }
    if ((err = image_read_dynamic(image, &r->object.view, &test_report)))
        return err;
    return image_read_versions(image, &r->object.view, &r->arena, &test_report);
}

int elf_read(struct elf *elf, struct reading *r, enum view_rule rule)
{
    memset(r, 0, sizeof *r);
    test_arena(&r->arena);
    r->object.arena = &r->arena;
    r->object.path = r->object.image.path = "test.so";
    test_problems = 0;
    test_problem = (struct problem){ 0 };
    r->code = -read_steps(elf, r, rule);
    r->problem = test_problem;
    r->problems = test_problems;
    return r->code;
}

void reading_free(struct reading *r) { test_arena_free(&r->arena); }
