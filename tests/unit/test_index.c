/* index.c against lookup.c: whatever the index answers, the walk over the scope answers too, for every name. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elfgen.h"

#define OBJECTS 12u
static struct elf elves[OBJECTS];
static struct reading readings[OBJECTS];

static u32 state_of_random = 1;
static u32 random_below(u32 n)
{
    state_of_random ^= state_of_random << 13;
    state_of_random ^= state_of_random >> 17;
    state_of_random ^= state_of_random << 5;
    return state_of_random % n;
}

static struct { u64 found, absent, walk; } answers;

/* The same question to both; the index may also say "walk". */
static void same_answer(const struct symbol_index *index, const struct scope *scope, const struct symbol_want *want, const struct object *skip)
{
    struct binding fast = { 0 }, slow = { 0 };
    struct symbol_want exact = symbol_want_exact(want);
    bool expected = scope_find(scope, 0, &exact, skip, &slow);
    switch (index_find(index, want, skip, &fast)) {
    case INDEX_FOUND:
        answers.found++;
        assert_true(expected);
        assert_ptr_equal(fast.object, slow.object);
        assert_ptr_equal(fast.symbol, slow.symbol);
        break;
    case INDEX_ABSENT:
        answers.absent++;
        assert_false(expected);
        break;
    case INDEX_WALK:
        answers.walk++;
        break;
    }
}

static void ask_every_way(const struct symbol_index *index, const struct scope *scope, const char *name, const char *const *versions, u32 version_count)
{
    struct symbol_want want = { .name = name };
    want.gnu = gnu_hash_len(name, &want.len);
    for (u32 v = 0; v <= version_count; v++)
        for (u32 bits = 0; bits < 16; bits++) {
            struct version version = { .name = v ? versions[v - 1] : NULL, .hidden = bits & 4 };
            if (v)
                version.hash = sysv_hash_of(version.name);
            want.version = v ? &version : NULL;
            want.classes = bits & 3;
            const struct object *skip = bits & 8 ? scope->object[random_below(scope->count)] : NULL;
            same_answer(index, scope, &want, skip);
            struct symbol_want partial = want;
            partial.partial = true;
            partial.len = 0;
            partial.gnu |= 1;
            same_answer(index, scope, &partial, skip);
        }
}

/* Random objects out of few names, so that keys collide, crowd and repeat within one object. */
static void random_scope(u32 seed)
{
    static const char *const names[] = { "a", "b", "c", "puts", "read", "_Z3foov", "_Z3barv", "x1", "x2", "inline_one" };
    static const char *const versions[] = { "V1", "V2", "V3" };
    state_of_random = seed * 2654435761u | 1;
    struct object *list[OBJECTS];
    struct scope scope = { list, 2 + random_below(OBJECTS - 1), OBJECTS };
    for (u32 i = 0; i < scope.count; i++) {
        struct gen_symbol symbol[16] = { 0 };
        bool versioned = random_below(3), sysv = !random_below(4);
        u32 count = 1 + random_below(16);
        for (u32 k = 0; k < count; k++)
            symbol[k] = (struct gen_symbol){ .name = names[random_below(ARRAY_COUNT(names))], .bind = random_below(3) ? STB_GLOBAL : STB_WEAK,
                                             .version = versioned && random_below(4) ? versions[random_below(3)] : NULL,
                                             .visibility = random_below(8) ? STV_DEFAULT : STV_HIDDEN, .hidden = versioned && !random_below(3),
                                             .undefined = !random_below(5), .value = random_below(6) ? 0 : GEN_CODE + 8 };
        elf_make(&elves[i], &(struct gen_options){ .symbol = symbol, .symbol_count = count, .no_gnu = sysv, .sysv = sysv,
                                                   .buckets = 1 + random_below(5) });
        assert_int_equal(elf_read(&elves[i], &readings[i], VIEW_FILE), 0);
        readings[i].object.is_program = i == 0;
        list[i] = &readings[i].object;
    }
    struct arena arena;
    test_arena(&arena);
    struct symbol_index index;
    assert_true(index_build(&index, &scope, &arena));
    for (u32 n = 0; n < ARRAY_COUNT(names); n++)
        ask_every_way(&index, &scope, names[n], versions, ARRAY_COUNT(versions));
    ask_every_way(&index, &scope, "never_defined", versions, 1);
    test_arena_free(&arena);
    for (u32 i = 0; i < scope.count; i++)
        reading_free(&readings[i]);
}

static void index_and_walk_agree_on_random_scopes(void **state)
{
    (void)state;
    for (u32 seed = 1; seed <= 400; seed++)
        random_scope(seed);
    /* the test is worth something only if all three answers came */
    assert_true(answers.found > 1000 && answers.absent > 1000 && answers.walk > 0);
}

static void one_name_in_every_object_is_the_first_ones(void **state)
{
    (void)state;
    static const struct gen_symbol same[] = { { .name = "inline_one" }, { .name = "other" } };
    struct object *list[OBJECTS];
    struct scope scope = { list, OBJECTS, OBJECTS };
    for (u32 i = 0; i < OBJECTS; i++) {
        elf_make(&elves[i], &(struct gen_options){ .symbol = same, .symbol_count = 2 });
        assert_int_equal(elf_read(&elves[i], &readings[i], VIEW_FILE), 0);
        list[i] = &readings[i].object;
    }
    struct arena arena;
    test_arena(&arena);
    struct symbol_index index;
    struct binding out;
    assert_true(index_build(&index, &scope, &arena));
    assert_true(index.crowded > 0);
    struct symbol_want want = { .name = "inline_one" };
    want.gnu = gnu_hash_len(want.name, &want.len);
    assert_int_equal(index_find(&index, &want, NULL, &out), INDEX_FOUND);
    assert_ptr_equal(out.object, list[0]);
    test_arena_free(&arena);
    for (u32 i = 0; i < OBJECTS; i++)
        reading_free(&readings[i]);
}

static void short_memory_means_no_index(void **state)
{
    (void)state;
    struct object *none[1];
    struct scope scope = { none, 0, 1 };
    struct arena arena = short_arena();
    struct symbol_index index;
    assert_false(index_build(&index, &scope, &arena));
}

static void short_scopes_are_not_worth_an_index(void **state)
{
    (void)state;
    /* SysV tables, whose symbols are counted without being looked at */
    static const u32 bucket[1];
    static struct object object[8];
    struct object *list[8];
    for (u32 i = 0; i < 8; i++) {
        list[i] = &object[i];
        object[i].image.sysv = (struct sysv_hash){ .bucket = bucket, .bucket_count = 1, .chain_count = 1000 };
        object[i].image.sym_limit = 1000;
    }
    struct scope scope = { list, 2, 8 };
    assert_false(index_worthwhile(&scope, 10000000));
    scope.count = 8;
    assert_false(index_worthwhile(&scope, 10));
    assert_true(index_worthwhile(&scope, 1000000));
    object[0].image.sym_limit = object[0].image.sysv.chain_count = 1u << 30;
    object[0].symbol_count = 0;      /* counted before: as if met anew */
    assert_false(index_worthwhile(&scope, 1000000));
}

/* Real libraries, in the order of their names; every name that any of them defines or needs. */
static void index_and_walk_agree_on_real_libraries(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "/lib/x86_64-linux-gnu/libc.so.6", "/lib/x86_64-linux-gnu/libm.so.6", "/lib/x86_64-linux-gnu/libstdc++.so.6", "/lib/x86_64-linux-gnu/libgcc_s.so.1",
        "/lib/x86_64-linux-gnu/libz.so.1", "/lib/x86_64-linux-gnu/libelf.so.1", "/lib/x86_64-linux-gnu/libpthread.so.0", "/lib/x86_64-linux-gnu/libcmocka.so.0",
        "/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/libcrypto.so.3", "/lib/x86_64-linux-gnu/libtinfo.so.6", "/lib/x86_64-linux-gnu/libpcre2-8.so.0",
    };
    static struct object objects[ARRAY_COUNT(paths)];
    struct object *list[ARRAY_COUNT(paths)];
    struct scope scope = { list, 0, ARRAY_COUNT(paths) };
    struct arena arena;
    test_arena(&arena);
    for (u32 i = 0; i < ARRAY_COUNT(paths); i++) {
        struct object *o = &objects[scope.count];
        struct stat st;
        int fd = open(paths[i], O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) != 0)
            continue;
        const u8 *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        close(fd);
        const Elf64_Ehdr *eh = (const void *)bytes;
        o->image.path = o->path = paths[i];
        assert_int_equal(image_read_phdrs(&o->image, (const void *)(bytes + eh->e_phoff), eh->e_phnum, (u64)st.st_size, &arena, &test_report), 0);
        o->view = (struct view){ bytes, &o->image.plan, VIEW_FILE };
        assert_int_equal(image_read_dynamic(&o->image, &o->view, &test_report), 0);
        assert_int_equal(image_read_versions(&o->image, &o->view, &arena, &test_report), 0);
        list[scope.count++] = o;
    }
    assert_true(scope.count >= 5);
    struct symbol_index index;
    assert_true(index_build(&index, &scope, &arena));
    u64 asked = 0;
    for (u32 i = 0; i < scope.count; i++) {
        const struct image *image = &list[i]->image;
        for (u64 k = 1; k < image_symbol_count(image); k++) {
            u32 number = image->versym ? image->versym[k] & 0x7fff : 0;
            struct symbol_want want = { .name = image_string(image, image->symtab[k].st_name) };
            if (number < image->version_count && image->version[number].name)
                want.version = &image->version[number];
            want.gnu = gnu_hash_len(want.name, &want.len);
            same_answer(&index, &scope, &want, NULL);
            want.version = NULL;
            same_answer(&index, &scope, &want, list[i]);
            asked++;
        }
    }
    assert_true(asked > 5000);
    test_arena_free(&arena);
}

int main(void)
{
    TEST(index_and_walk_agree_on_random_scopes);
    TEST(one_name_in_every_object_is_the_first_ones);
    TEST(short_memory_means_no_index);
    TEST(short_scopes_are_not_worth_an_index);
    TEST(index_and_walk_agree_on_real_libraries);
    return tests_run("index");
}
