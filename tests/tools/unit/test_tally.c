/* Snapshots made by hand, counted by tally_make, against numbers worked out on paper; and random ones against a count by
 * brute force. */
#include "../../../tools/pages/pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define FILE_AT(frame) (PM_PRESENT | PM_FILE | (frame))
#define COPY_AT(frame) (PM_PRESENT | PM_EXCLUSIVE | (frame))
#define FORKED_AT(frame) (PM_PRESENT | (frame))

enum { OBJECTS = 2, RUNS_MAX = 4, WORDS_MAX = 8 };

struct small {
    struct object objects[OBJECTS];
    struct owner owners[4];
    struct run runs[4][RUNS_MAX];
    struct snapshot snapshot;
};

static void start(struct small *s, enum method method) {
    memset(s, 0, sizeof *s);
    s->snapshot = (struct snapshot){ .method = method, .objects = s->objects, .object_count = OBJECTS, .owners = s->owners };
    for (int i = 0; i < 4; i++)
        s->owners[i].runs = s->runs[i];
}

/* Adds a run of the words given (ended by UINT64_MAX) to an owner. */
static void add(struct small *s, size_t owner, uint32_t object, enum segment_kind kind, uint64_t file_page, const uint64_t *words) {
    struct owner *o = &s->owners[owner];
    struct run *run = &o->runs[o->run_count++];
    *run = (struct run){ .file_page = file_page, .word = o->word_count, .object = object, .kind = kind };
    while (words[run->pages] != UINT64_MAX)
        run->pages++;
    struct owner grown = *o;
    words_make(&grown, o->word_count + run->pages);
    for (size_t i = 0; i < o->word_count; i++)
        word_set(&grown, s->snapshot.method, i, word_get(o, s->snapshot.method, i));
    for (size_t i = 0; i < run->pages; i++)
        word_set(&grown, s->snapshot.method, o->word_count + i, word_place(words[i], s->snapshot.method));
    words_free(o);
    *o = grown;
    if (s->snapshot.owner_count <= owner)
        s->snapshot.owner_count = owner + 1;
}
static void finish(struct small *s, struct tally *t) {
    tally_free(t);
    for (size_t i = 0; i < 4; i++)
        words_free(&s->owners[i]);
}
#define WORDS(...) (const uint64_t[]) { __VA_ARGS__, UINT64_MAX }

static void assert_adds_up(const struct counts *c, const char *what) {
    if (c->frames != c->shared + c->alone + c->private_copies + c->memory)
        fail_msg("%s: frames %lu, shared %lu, alone %lu, private %lu", what, c->frames, c->shared, c->alone, c->private_copies);
}

static void assert_counts(const struct counts *c, uint64_t pages, uint64_t frames, uint64_t shared, uint64_t alone,
                          uint64_t private_copies, uint64_t avoided, uint64_t again) {
    assert_int_equal(c->pages, pages);
    assert_int_equal(c->frames, frames);
    assert_int_equal(c->shared, shared);
    assert_int_equal(c->alone, alone);
    assert_int_equal(c->private_copies, private_copies);
    assert_int_equal(c->avoided, avoided);
    assert_int_equal(c->again, again);
}

static void code_shared_by_two_and_copies_apart(void **state) {
    (void)state;
    struct small s;
    struct tally t;
    start(&s, METHOD_FRAMES);
    add(&s, 0, 0, SEGMENT_CODE, 1, WORDS(FILE_AT(10), FILE_AT(11), FILE_AT(12), 0));
    add(&s, 0, 0, SEGMENT_DATA, 5, WORDS(COPY_AT(20), FILE_AT(15)));
    add(&s, 1, 0, SEGMENT_CODE, 1, WORDS(FILE_AT(10), FILE_AT(11), 0, 0));
    add(&s, 1, 0, SEGMENT_DATA, 5, WORDS(COPY_AT(30), FILE_AT(15)));
    tally_make(&t, &s.snapshot);
    assert_counts(&t.rows[SEGMENT_CODE].counts, 5, 3, 2, 1, 0, 2, 0);
    assert_counts(&t.rows[SEGMENT_DATA].counts, 4, 3, 1, 0, 2, 1, 0);
    assert_counts(&t.total, 9, 6, 3, 1, 2, 3, 0);
    assert_counts(&t.owners[0], 5, 5, 3, 1, 1, 0, 0);
    assert_counts(&t.owners[1], 4, 4, 3, 0, 1, 0, 0);
    assert_int_equal(t.rows[SEGMENT_CODE].owners, 2);
    assert_int_equal(t.object_owners[0], 2);
    assert_int_equal(t.object_owners[1], 0);
    finish(&s, &t);
}

static void one_process_mapping_twice_shares_with_nobody(void **state) {
    (void)state;
    struct small s;
    struct tally t;
    start(&s, METHOD_FRAMES);
    add(&s, 0, 0, SEGMENT_CODE, 1, WORDS(FILE_AT(10), FILE_AT(11)));
    add(&s, 0, 0, SEGMENT_CODE, 1, WORDS(FILE_AT(10), FILE_AT(11)));
    tally_make(&t, &s.snapshot);
    assert_counts(&t.total, 4, 2, 0, 2, 0, 0, 2);
    assert_counts(&t.owners[0], 4, 2, 0, 2, 0, 0, 2);
    finish(&s, &t);
}

/* One file page in two segments: a frame of each row, one frame of the object and of the total. */
static void a_frame_in_two_segments_is_one_frame(void **state) {
    (void)state;
    for (int method = METHOD_FRAMES; method <= METHOD_IDENTITY; method++) {
        struct small s;
        struct tally t;
        start(&s, (enum method)method);
        add(&s, 0, 0, SEGMENT_CONSTANTS, 4, WORDS(FILE_AT(10)));
        add(&s, 0, 0, SEGMENT_DATA, 4, WORDS(FILE_AT(10)));
        add(&s, 1, 0, SEGMENT_CONSTANTS, 4, WORDS(FILE_AT(10)));
        tally_make(&t, &s.snapshot);
        assert_counts(&t.rows[SEGMENT_CONSTANTS].counts, 2, 1, 1, 0, 0, 1, 0);
        assert_counts(&t.rows[SEGMENT_DATA].counts, 1, 1, 1, 0, 0, 0, 1);
        assert_counts(&t.objects[0], 3, 1, 1, 0, 0, 1, 1);
        assert_counts(&t.total, 3, 1, 1, 0, 0, 1, 1);
        assert_int_equal(t.rows_overlap, 1);
        finish(&s, &t);
    }
}

/* Two files of two overlay mounts over one lower file: frame numbers know, file identity cannot. */
static void a_frame_in_two_objects_counts_once_in_the_total(void **state) {
    (void)state;
    struct small s;
    struct tally t;
    start(&s, METHOD_FRAMES);
    add(&s, 0, 0, SEGMENT_CODE, 1, WORDS(FILE_AT(10)));
    add(&s, 1, 1, SEGMENT_CODE, 1, WORDS(FILE_AT(10)));
    add(&s, 1, 1, SEGMENT_CONSTANTS, 1, WORDS(FILE_AT(10)));
    tally_make(&t, &s.snapshot);
    assert_int_equal(t.objects[0].frames, 1);
    assert_int_equal(t.objects[1].frames, 1);
    assert_counts(&t.total, 3, 1, 1, 0, 0, 1, 1);
    assert_int_equal(t.rows_overlap, 2);
    finish(&s, &t);
}

static void copies_inherited_by_fork_are_shared(void **state) {
    (void)state;
    struct small s;
    struct tally t;
    start(&s, METHOD_FRAMES);
    add(&s, 0, 0, SEGMENT_DATA, 5, WORDS(FORKED_AT(20), COPY_AT(21)));
    add(&s, 1, 0, SEGMENT_DATA, 5, WORDS(FORKED_AT(20), COPY_AT(31)));
    tally_make(&t, &s.snapshot);
    assert_counts(&t.total, 4, 3, 1, 0, 2, 1, 0);
    assert_int_equal(t.total.shared_copies, 1);
    finish(&s, &t);
}

static void identity_cannot_name_the_partner_and_says_so(void **state) {
    (void)state;
    struct small s;
    struct tally t;
    start(&s, METHOD_IDENTITY);
    add(&s, 0, 0, SEGMENT_DATA, 5, WORDS(FORKED_AT(0), COPY_AT(0), FILE_AT(0)));
    add(&s, 1, 0, SEGMENT_DATA, 5, WORDS(FORKED_AT(0), COPY_AT(0), FILE_AT(0)));
    tally_make(&t, &s.snapshot);
    assert_counts(&t.total, 6, 5, 1, 0, 4, 1, 0);
    assert_int_equal(t.total.unresolved, 2);
    finish(&s, &t);
}

static void zero_page_and_swap_are_no_frames(void **state) {
    (void)state;
    struct small s;
    struct tally t;
    start(&s, METHOD_FRAMES);
    s.snapshot.zero_frame = 3;
    add(&s, 0, 0, SEGMENT_DATA, 5, WORDS(FORKED_AT(3), PM_SWAPPED | 0x40, FILE_AT(9)));
    tally_make(&t, &s.snapshot);
    assert_counts(&t.total, 1, 1, 0, 1, 0, 0, 0);
    assert_int_equal(t.total.classes[CLASS_ZERO], 1);
    assert_int_equal(t.total.swapped, 1);
    finish(&s, &t);
}

static void an_empty_snapshot_is_all_zero(void **state) {
    (void)state;
    struct snapshot none = { .method = METHOD_FRAMES };
    struct tally t;
    tally_make(&t, &none);
    assert_counts(&t.total, 0, 0, 0, 0, 0, 0, 0);
    tally_free(&t);
}

static void hints_do_not_count_as_change(void **state) {
    (void)state;
    uint64_t soft_dirty = UINT64_C(1) << 55;
    assert_int_equal(word_place(FILE_AT(5) | soft_dirty | PM_EXCLUSIVE, METHOD_FRAMES), FILE_AT(5));
    assert_int_equal(word_place(COPY_AT(0) | soft_dirty, METHOD_IDENTITY), COPY_AT(0));
    assert_int_equal(word_place(soft_dirty | PM_FILE, METHOD_FRAMES), 0);
    /* markers, as a kernel of 6.18 gives them: a guard region, and what userfaultfd protected before it was touched */
    const uint64_t guard = UINT64_C(0x440000000000009f), protected = UINT64_C(0x420000000000003f);
    assert_int_equal(word_place(guard, METHOD_FRAMES), 0);
    assert_int_equal(word_place(guard & ~PM_FRAME, METHOD_IDENTITY), 0);
    assert_int_equal(word_place(protected, METHOD_FRAMES), 0);
    assert_int_equal(word_place(protected & ~PM_FRAME, METHOD_IDENTITY), PM_SWAPPED | PM_UFFD_WP);
    assert_int_equal(word_place(PM_SWAPPED | PM_UFFD_WP | 0x3e, METHOD_FRAMES), PM_SWAPPED | 0x3e);
}

/* Three owners; the matrix and the histogram by hand. Frames: 10 of all, 11 of 0 and 2, 12 of 1 (twice), 20 21 22 apart. */
static void matrix_and_histogram(void **state) {
    (void)state;
    struct small s;
    struct tally t;
    start(&s, METHOD_FRAMES);
    add(&s, 0, 0, SEGMENT_CODE, 1, WORDS(FILE_AT(10), FILE_AT(11), COPY_AT(20)));
    add(&s, 1, 0, SEGMENT_CODE, 1, WORDS(FILE_AT(10), FILE_AT(12), FILE_AT(12), COPY_AT(21)));
    add(&s, 2, 0, SEGMENT_CODE, 1, WORDS(FILE_AT(10), FILE_AT(11), COPY_AT(22)));
    tally_make(&t, &s.snapshot);
    const uint64_t all[9] = { 3, 1, 2, 1, 3, 1, 2, 1, 3 }, two[4] = { 3, 2, 2, 3 };
    uint64_t *matrix = share_matrix(&t, 3, (uint32_t[]){ 0, 1, 2 }, 3);
    assert_memory_equal(matrix, all, sizeof all);
    free(matrix);
    matrix = share_matrix(&t, 3, (uint32_t[]){ 0, 2 }, 2);
    assert_memory_equal(matrix, two, sizeof two);
    free(matrix);
    assert_int_equal(t.histogram[1].frames, 4);
    assert_int_equal(t.histogram[1].pages, 5);
    assert_int_equal(t.histogram[2].frames, 1);
    assert_int_equal(t.histogram[2].pages, 2);
    assert_int_equal(t.histogram[3].frames, 1);
    assert_int_equal(t.histogram[3].pages, 3);
    finish(&s, &t);
}

/* ours: the owners of the strip, bit by bit */
static void assert_strip(const struct strip *strip, const struct owner_lists *lists, enum page_class class, uint32_t ours, uint64_t pages) {
    uint32_t bits = 0, owners = (uint32_t)__builtin_popcount(ours);
    const struct owner_list *list = &lists->list[strip->list];
    for (uint32_t i = 0; i < list->count; i++)
        bits |= UINT32_C(1) << lists->owners[list->first + i];
    assert_int_equal(bits, ours);
    assert_int_equal(list->count, owners);
    assert_int_equal(strip->class, class);
    assert_int_equal(strip->owners, owners);
    assert_int_equal(strip->pages, pages);
}

/* A segment of which one owner maps pages 4 to 8 and another 5, 6 and, a million pages on, 1000004; 6 is copied by both. */
static void strips_show_each_page_once(void **state) {
    (void)state;
    struct small s;
    struct tally t;
    start(&s, METHOD_FRAMES);
    add(&s, 0, 0, SEGMENT_DATA, 4, WORDS(FILE_AT(10), FILE_AT(11), COPY_AT(20), 0, FILE_AT(14)));
    add(&s, 1, 0, SEGMENT_DATA, 5, WORDS(FILE_AT(11), COPY_AT(21)));
    add(&s, 1, 0, SEGMENT_DATA, 1000004, WORDS(FILE_AT(40)));
    add(&s, 1, 0, SEGMENT_DATA, 1000004, WORDS(FILE_AT(40)));
    add(&s, 1, 0, SEGMENT_CODE, 4, WORDS(FILE_AT(10)));
    tally_make(&t, &s.snapshot);
    struct run_index index;
    struct owner_lists lists = { 0 };
    size_t count;
    run_index_make(&index, &t, &s.snapshot);
    struct strip *strips = row_strips(&index, &t, &s.snapshot, SEGMENT_DATA, &lists, &count);
    assert_int_equal(count, 7);
    assert_strip(&strips[0], &lists, CLASS_FILE_SHARED, 1, 1); /* shared with the code segment of the other */
    assert_strip(&strips[1], &lists, CLASS_FILE_SHARED, 3, 1);
    assert_strip(&strips[2], &lists, CLASS_PRIVATE_UNKNOWN, 3, 1);
    assert_strip(&strips[3], &lists, CLASS_ABSENT, 0, 1);
    assert_strip(&strips[4], &lists, CLASS_FILE_ALONE, 1, 1);
    assert_strip(&strips[5], &lists, CLASS_ABSENT, 0, 1000004 - 9);
    assert_strip(&strips[6], &lists, CLASS_FILE_ALONE, 2, 1);
    free(strips);
    strips = row_strips(&index, &t, &s.snapshot, SEGMENT_RELRO, &lists, &count);
    assert_int_equal(count, 0);
    free(strips);
    assert_int_equal(lists.count, 4); /* nobody, the first, both, the second: each once */
    owner_lists_free(&lists);
    run_index_free(&index);
    finish(&s, &t);
}

/* Every kind of page of an owner in scope "all", and what each is counted as. */
static void every_page_has_one_class(void **state) {
    (void)state;
    struct small s;
    struct tally t;
    start(&s, METHOD_FRAMES);
    s.objects[1].kind = OBJECT_ANONYMOUS;
    s.snapshot.zero_frame = 3;
    s.snapshot.huge_zero_frame = 1024;
    s.snapshot.merged = (uint64_t[]){ 50 };
    s.snapshot.merged_count = 1;
    for (size_t owner = 0; owner < 2; owner++) {
        uint64_t own = 100 * owner;
        add(&s, owner, 0, SEGMENT_DATA, 5, WORDS(FILE_AT(10), FILE_AT(11 + own), FORKED_AT(40), COPY_AT(500 + own)));
        add(&s, owner, 0, SEGMENT_BSS, 9, WORDS(COPY_AT(501 + own)));
        add(&s, owner, 1, SEGMENT_HEAP, 0, WORDS(COPY_AT(502 + own), FORKED_AT(50), FORKED_AT(3), FORKED_AT(1024 + 511)));
        add(&s, owner, 1, SEGMENT_STACK, 0, WORDS(COPY_AT(503 + own), PM_SWAPPED | 64 | own << 8, PM_SWAPPED | 96));
    }
    add(&s, 2, 1, SEGMENT_ANONYMOUS, 0, WORDS(COPY_AT(2048), COPY_AT(1024 + 512)));
    s.runs[2][0].huge = true;
    tally_make(&t, &s.snapshot);
    const struct { enum page_class class; uint64_t pages; } expected[] = {
        { CLASS_FILE_SHARED, 2 }, { CLASS_FILE_ALONE, 2 }, { CLASS_FORK_SHARED, 2 }, { CLASS_PRIVATE_UNKNOWN, 2 }, { CLASS_BSS, 2 },
        { CLASS_HEAP, 2 }, { CLASS_MERGED, 2 }, { CLASS_ZERO, 4 }, { CLASS_STACK, 2 }, { CLASS_SWAPPED, 2 }, { CLASS_SWAPPED_SHARED, 2 },
        { CLASS_HUGE, 2 } };
    uint64_t sum = 0, all = 0;
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        if (t.total.classes[expected[i].class] != expected[i].pages)
            fail_msg("%s: %lu, expected %lu", class_key(expected[i].class), t.total.classes[expected[i].class], expected[i].pages);
        sum += expected[i].pages;
    }
    for (size_t class = 0; class < CLASSES; class++)
        all += t.total.classes[class];
    assert_int_equal(all, sum);
    /* file 10, two alone, fork 40, merged 50, two copies, eight of memory (bss, heap, stack of each, two huge) */
    assert_counts(&t.total, 18, 15, 3, 2, 2, 3, 0);
    assert_int_equal(t.total.memory, 8);
    finish(&s, &t);
}

/* Every sort of word comes back as it went in, small or wide, and keeps its cause until it changes. */
static void words_come_back(void **state) {
    (void)state;
    const uint64_t words[] = { 0, FILE_AT(1), COPY_AT(1), FILE_AT((1 << 27) - 1), FILE_AT(1 << 27), COPY_AT(PM_FRAME), PM_SWAPPED | 5,
                               PM_SWAPPED | PM_FRAME, FORKED_AT(7), FILE_AT(0), COPY_AT(0), FORKED_AT(0), PM_SWAPPED };
    enum { COUNT = sizeof words / sizeof words[0] };
    for (int m = METHOD_FRAMES; m <= METHOD_IDENTITY; m++) {
        enum method method = (enum method)m;
        struct owner owner = { 0 };
        words_make(&owner, COUNT);
        for (int round = 0; round < 2; round++)
            for (size_t i = 0; i < COUNT; i++)
                if (word_set(&owner, method, i, word_place(words[i], method)) != (round == 0 && word_place(words[i], method) != 0))
                    fail_msg("word %zu, round %d: changed or not?", i, round);
        for (size_t i = 0; i < COUNT; i++) {
            cause_set(&owner, i, CAUSE_IDENTICAL);
            assert_int_equal(word_get(&owner, method, i), word_place(words[i], method));
            assert_int_equal(cause_get(&owner, i), CAUSE_IDENTICAL);
        }
        assert_true(word_set(&owner, method, 1, COPY_AT(0) | 9));
        assert_int_equal(cause_get(&owner, 1), CAUSE_UNKNOWN);
        assert_true(word_set(&owner, method, 4, 0));
        assert_int_equal(word_get(&owner, method, 4), 0);
        words_free(&owner);
    }
}

/* Random snapshots: total, and per row, recounted with owner bit masks per frame. */
static void random_snapshots_agree_with_brute_force(void **state) {
    (void)state;
    enum { FRAMES = 24, KINDS = SEGMENT_BSS + 1, ROWS = OBJECTS * KINDS };
    srandom(1);
    for (int round = 0; round < 2000; round++) {
        struct small s;
        struct tally t;
        start(&s, METHOD_FRAMES);
        unsigned masks[FRAMES + 1] = { 0 }, row_masks[ROWS] = { 0 };
        bool in_row[ROWS][FRAMES + 1] = { 0 };
        uint64_t pages = 0, row_pages[ROWS] = { 0 };
        for (size_t o = 0; o < 4; o++)
            for (int r = 0; r < RUNS_MAX; r++) {
                uint64_t words[WORDS_MAX + 1];
                uint32_t object = (uint32_t)random() % OBJECTS;
                enum segment_kind kind = (enum segment_kind)(random() % SEGMENT_BSS);
                size_t row = object * KINDS + kind, count = (size_t)random() % WORDS_MAX;
                for (size_t i = 0; i < count; i++) {
                    uint64_t frame = (uint64_t)random() % (FRAMES + 1);
                    /* even frames are copies, odd ones pages of files; 0 is an absent page */
                    words[i] = frame == 0 ? 0 : frame % 2 ? FILE_AT(frame) : COPY_AT(frame);
                    if (!frame)
                        continue;
                    masks[frame] |= 1u << o;
                    row_masks[row] |= 1u << o;
                    in_row[row][frame] = true;
                    row_pages[row]++;
                    pages++;
                }
                words[count] = UINT64_MAX;
                add(&s, o, object, kind, 0, words);
            }
        tally_make(&t, &s.snapshot);
        struct counts expected = { .pages = pages };
        for (int f = 1; f <= FRAMES; f++) {
            unsigned owners = (unsigned)__builtin_popcount(masks[f]);
            if (!owners)
                continue;
            expected.frames++;
            expected.avoided += owners - 1;
            expected.shared += owners > 1;
            expected.alone += owners == 1 && f % 2;
            expected.private_copies += owners == 1 && f % 2 == 0;
        }
        assert_counts(&t.total, expected.pages, expected.frames, expected.shared, expected.alone, expected.private_copies,
                      expected.avoided, expected.pages - expected.frames - expected.avoided);
        assert_adds_up(&t.total, "total");
        uint64_t row_frames = 0, avoided = 0, again = 0;
        for (size_t row = 0; row < ROWS; row++) {
            uint64_t frames = 0;
            for (int f = 1; f <= FRAMES; f++)
                frames += in_row[row][f];
            assert_int_equal(t.rows[row].counts.pages, row_pages[row]);
            assert_int_equal(t.rows[row].counts.frames, frames);
            assert_int_equal(t.rows[row].owners, __builtin_popcount(row_masks[row]));
            assert_adds_up(&t.rows[row].counts, "row");
            row_frames += frames;
            avoided += t.rows[row].counts.avoided;
            again += t.rows[row].counts.again;
        }
        assert_int_equal(row_frames - t.rows_overlap, t.total.frames);
        assert_int_equal(avoided, t.total.avoided);
        assert_int_equal(again, t.total.again);
        for (size_t object = 0; object < OBJECTS; object++) {
            uint64_t frames = 0;
            for (int f = 1; f <= FRAMES; f++) {
                bool in = false;
                for (size_t kind = 0; kind < KINDS; kind++)
                    in |= in_row[object * KINDS + kind][f];
                frames += in;
            }
            assert_int_equal(t.objects[object].frames, frames);
        }
        finish(&s, &t);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_shared_by_two_and_copies_apart),
        cmocka_unit_test(one_process_mapping_twice_shares_with_nobody),
        cmocka_unit_test(a_frame_in_two_segments_is_one_frame),
        cmocka_unit_test(a_frame_in_two_objects_counts_once_in_the_total),
        cmocka_unit_test(copies_inherited_by_fork_are_shared),
        cmocka_unit_test(identity_cannot_name_the_partner_and_says_so),
        cmocka_unit_test(zero_page_and_swap_are_no_frames),
        cmocka_unit_test(an_empty_snapshot_is_all_zero),
        cmocka_unit_test(hints_do_not_count_as_change),
        cmocka_unit_test(matrix_and_histogram),
        cmocka_unit_test(strips_show_each_page_once),
        cmocka_unit_test(every_page_has_one_class),
        cmocka_unit_test(words_come_back),
        cmocka_unit_test(random_snapshots_agree_with_brute_force),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
