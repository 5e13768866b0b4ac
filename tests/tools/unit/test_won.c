/* What could be won, of snapshots made by hand: equal relocated copies, and files that are there twice. */
#include "../../../tools/pages/pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { OWNERS = 3, PAGES = 4, FILES = 3 };
#define COPY_AT(frame) (PM_PRESENT | PM_EXCLUSIVE | (frame))
#define FILE_AT(frame) (PM_PRESENT | PM_FILE | (frame))

/* Each owner maps every page of one file; which, and with which words, is filled in by the test. */
struct scene {
    struct object objects[FILES];
    struct owner owners[OWNERS];
    struct run runs[OWNERS];
    struct snapshot snapshot;
    struct tally tally;
    char bytes[FILES][PAGES * PAGE_LEN];
};

static char paths[FILES][2] = { "a", "b", "c" };

static struct scene *scene_make(enum method method) {
    struct scene *s = calloc(1, sizeof *s);
    s->snapshot = (struct snapshot){ .method = method, .objects = s->objects, .object_count = FILES, .owners = s->owners, .owner_count = OWNERS };
    for (int f = 0; f < FILES; f++)
        s->objects[f] = (struct object){ .path = paths[f], .file = s->bytes[f], .file_len = sizeof s->bytes[f] };
    for (int o = 0; o < OWNERS; o++) {
        s->runs[o] = (struct run){ .addr = 0x10000u * (unsigned)(o + 1), .bias = 0x10000u * (unsigned)(o + 1), .pages = PAGES, .kind = SEGMENT_DATA };
        s->owners[o] = (struct owner){ .runs = &s->runs[o], .run_count = 1 };
        words_make(&s->owners[o], PAGES);
    }
    return s;
}

static void map(struct scene *s, int owner, size_t page, uint64_t word) {
    word_set(&s->owners[owner], s->snapshot.method, page, word_place(word, s->snapshot.method));
}

/* A copy that relocation made, with this content. */
static void relocated(struct scene *s, int owner, size_t page, uint64_t frame, uint64_t content) {
    map(s, owner, page, COPY_AT(frame));
    cause_set(&s->owners[owner], page, CAUSE_RELOCATION);
    content_add(&s->owners[owner], page, (struct digest){ { content, 1 } });
}

static void scene_free(struct scene *s) {
    tally_free(&s->tally);
    for (int o = 0; o < OWNERS; o++)
        words_free(&s->owners[o]);
    free(s);
}

static void equal_contents_of_one_page_are_one_copy_for_all(void **state) {
    (void)state;
    for (enum method method = METHOD_FRAMES; method <= METHOD_IDENTITY; method++) {
        struct scene *s = scene_make(method);
        for (int o = 0; o < OWNERS; o++) {
            relocated(s, o, 0, 10u + (unsigned)o, 7);              /* all alike: two less */
            relocated(s, o, 1, 20u + (unsigned)o, (unsigned)o);    /* all different */
            relocated(s, o, 2, 30u + (unsigned)o, o == 0 ? 7 : 8); /* two alike, and like another page's: one less */
        }
        tally_make(&s->tally, &s->snapshot);
        assert_int_equal(s->tally.total.won_relocated, 3);
        assert_int_equal(s->tally.objects[0].won_relocated, 3);
        assert_int_equal(tally_row(&s->tally, 0, SEGMENT_DATA)->counts.won_relocated, 3);
        assert_int_equal(s->tally.won_page_count, 2);
        assert_true(s->tally.won_pages[0].vaddr == 0 && s->tally.won_pages[0].won == 2);
        assert_true(s->tally.won_pages[1].vaddr == 2 * PAGE_LEN && s->tally.won_pages[1].won == 1);
        scene_free(s);
    }
}

static void the_last_content_of_a_word_counts(void **state) {
    (void)state;
    struct scene *s = scene_make(METHOD_FRAMES);
    relocated(s, 0, 0, 10, 7);
    relocated(s, 1, 0, 11, 7);
    relocated(s, 1, 0, 12, 8); /* the page changed and was read again */
    relocated(s, 0, 1, 20, 7);
    relocated(s, 1, 1, 21, 7);
    map(s, 1, 1, COPY_AT(22)); /* changed after it was read: its cause is not known */
    tally_make(&s->tally, &s->snapshot);
    assert_int_equal(s->tally.total.won_relocated, 0);
    scene_free(s);
}

static void copies_shared_by_fork_are_one_already(void **state) {
    (void)state;
    struct scene *s = scene_make(METHOD_FRAMES);
    relocated(s, 0, 0, 10, 7);
    relocated(s, 1, 0, 10, 7);
    relocated(s, 2, 0, 11, 7);
    tally_make(&s->tally, &s->snapshot);
    assert_int_equal(s->tally.total.won_relocated, 0); /* one private copy only */
    scene_free(s);
}

static void give_id(struct scene *s, int file, uint8_t id) {
    s->objects[file].build_id[0] = id;
    s->objects[file].build_id_len = 20;
}

static void equal_pages_of_files_of_one_build_id_are_one(void **state) {
    (void)state;
    struct scene *s = scene_make(METHOD_FRAMES);
    for (int f = 0; f < FILES; f++) {
        s->runs[f].object = (uint32_t)f; /* owner f maps file f */
        give_id(s, f, 1);
    }
    s->bytes[2][PAGE_LEN] = 1; /* the third file's page 1 differs */
    for (int o = 0; o < OWNERS; o++)
        for (size_t page = 0; page < 3; page++)
            map(s, o, page, FILE_AT(100 * page + 10 + (o == 2 && page == 2 ? 0 : (unsigned)o))); /* page 2: the third has the first one's frame */
    map(s, 0, 3, FILE_AT(500)); /* nobody else maps it */
    tally_make(&s->tally, &s->snapshot);
    /* page 0: three frames for one; page 1: two alike; page 2: two frames, one of them twice */
    assert_int_equal(s->tally.total.won_duplicates, 2 + 1 + 1);
    assert_int_equal(s->tally.objects[0].won_duplicates, 0); /* most pages are mapped of it: it keeps its own */
    assert_int_equal(s->tally.objects[1].won_duplicates, 3);
    assert_int_equal(s->tally.objects[2].won_duplicates, 1);
    assert_int_equal(s->tally.duplicates_count, 1);
    assert_int_equal(s->tally.duplicates[0].count, 3);
    assert_int_equal(s->tally.duplicates[0].won, 4);
    scene_free(s);
}

static void files_of_other_build_ids_are_others(void **state) {
    (void)state;
    struct scene *s = scene_make(METHOD_FRAMES);
    for (int o = 0; o < OWNERS; o++) {
        s->runs[o].object = (uint32_t)o;
        map(s, o, 0, FILE_AT(10u + (unsigned)o));
    }
    give_id(s, 0, 1);
    give_id(s, 1, 2); /* and the third has none */
    tally_make(&s->tally, &s->snapshot);
    assert_int_equal(s->tally.total.won_duplicates, 0);
    assert_int_equal(s->tally.duplicates_count, 0);
    scene_free(s);
}

static void every_bit_of_a_page_is_in_its_digest(void **state) {
    (void)state;
    struct digest_key *key = malloc(sizeof *key);
    uint64_t page[CAUSE_WORDS] = { 0 };
    for (size_t i = 0; i < sizeof *key; i++)
        ((unsigned char *)key)[i] = (unsigned char)(rand() >> 4);
    struct digest zero = digest_make(key, page);
    for (size_t bit = 0; bit < sizeof page * 8; bit++) {
        page[bit / 64] = UINT64_C(1) << bit % 64;
        struct digest digest = digest_make(key, page);
        page[bit / 64] = 0;
        if (digest.half[0] == zero.half[0] || digest.half[1] == zero.half[1])
            fail_msg("bit %zu", bit);
    }
    struct digest again = digest_make(key, page);
    assert_memory_equal(&again, &zero, sizeof zero);
    free(key);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_contents_of_one_page_are_one_copy_for_all),
        cmocka_unit_test(the_last_content_of_a_word_counts),
        cmocka_unit_test(copies_shared_by_fork_are_one_already),
        cmocka_unit_test(equal_pages_of_files_of_one_build_id_are_one),
        cmocka_unit_test(files_of_other_build_ids_are_others),
        cmocka_unit_test(every_bit_of_a_page_is_in_its_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
