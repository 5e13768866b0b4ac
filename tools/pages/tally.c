/* tally.c - counts a snapshot: rows (object and segment), objects, owners, totals. Pure.
 *
 * Two passes over the words: the first builds the frame set and splits every page into first / again / avoided; the
 * second, when each frame's owners are known, gives every owner its share.
 *
 * What a present word is keyed by:
 *   METHOD_FRAMES    the frame number; the zero page is left out
 *   METHOD_IDENTITY  a page of the file is (object, page of the file): the page cache holds it once, so that *is* the frame
 *                    (two overlay files over one lower file are the known exception: then sharing is under-counted)
 *                    a copy marked exclusive has no other owner and needs no key
 *                    a copy not marked exclusive has an owner that cannot be named: counted as a frame of its own, and
 *                    as unresolved
 */
#include "pages.h"
#include "../ldr.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Identity keys: 24 bits of object, 40 of file page (an exabyte file would collide; none exists). */
enum { FILE_PAGE_BITS = 40 };

enum page_class {
    PAGE_ABSENT,
    PAGE_SWAPPED,
    PAGE_ZERO,
    PAGE_KEYED,      /* has a key: look the owners up */
    PAGE_EXCLUSIVE,  /* a copy that nobody else has */
    PAGE_UNRESOLVED, /* a copy that somebody else has too */
};

static enum page_class classify(const struct snapshot *snapshot, const struct run *run, size_t page, uint64_t word,
                                uint64_t *key) {
    if (!(word & PM_PRESENT))
        return word & PM_SWAPPED ? PAGE_SWAPPED : PAGE_ABSENT;
    if (snapshot->method == METHOD_FRAMES) {
        *key = word & PM_FRAME;
        return snapshot->zero_frame && *key == snapshot->zero_frame ? PAGE_ZERO : PAGE_KEYED;
    }
    if (word & PM_FILE) {
        *key = ((uint64_t)run->object << FILE_PAGE_BITS) | (run->file_page + page);
        return PAGE_KEYED;
    }
    return word & PM_EXCLUSIVE ? PAGE_EXCLUSIVE : PAGE_UNRESOLVED;
}

static void add_frame(struct counts *to, const struct frame *frame) {
    to->frames++;
    if (frame->owners > 1) {
        to->shared++;
        to->shared_copies += frame->anonymous;
    } else if (frame->anonymous) {
        to->private_copies++;
        to->causes[frame->cause]++;
    } else {
        to->alone++;
    }
}

static void add_counts(struct counts *to, const struct counts *from) {
    to->pages += from->pages;
    to->avoided += from->avoided;
    to->again += from->again;
    to->frames += from->frames;
    to->shared += from->shared;
    to->shared_copies += from->shared_copies;
    to->alone += from->alone;
    to->private_copies += from->private_copies;
    for (size_t cause = 0; cause < CAUSES; cause++)
        to->causes[cause] += from->causes[cause];
    to->unresolved += from->unresolved;
    to->swapped += from->swapped;
}

static enum page_cause cause_at(const struct owner *owner, size_t word) {
    return owner->causes ? (enum page_cause)owner->causes[word] : CAUSE_UNKNOWN;
}

static uint32_t row_of(const struct run *run) { return run->object * SEGMENT_KINDS + run->kind; }

/* Pass one. A copy without a key is a frame at once; keyed frames are counted when the set is complete. */
static void add_owner(struct tally *tally, const struct snapshot *snapshot, uint32_t owner_index, struct frame_set *set,
                      uint32_t *row_last_owner) {
    const struct owner *owner = &snapshot->owners[owner_index];
    for (size_t r = 0; r < owner->run_count; r++) {
        const struct run *run = &owner->runs[r];
        uint32_t row_index = row_of(run);
        struct counts *row = &tally->rows[row_index];
        uint64_t before = row->pages + row->swapped;
        for (size_t i = 0; i < run->pages; i++) {
            uint64_t word = owner->words[run->word + i], key;
            switch (classify(snapshot, run, i, word, &key)) {
            case PAGE_ABSENT: break;
            case PAGE_SWAPPED: row->swapped++; break;
            case PAGE_ZERO: tally->zero_pages++; break;
            case PAGE_UNRESOLVED: row->unresolved++; /* fall through */
            case PAGE_EXCLUSIVE:
                row->pages++;
                row->frames++;
                row->private_copies++;
                row->causes[cause_at(owner, run->word + i)]++;
                break;
            case PAGE_KEYED: {
                row->pages++;
                enum frame_event event = frame_add(set, key, owner_index, row_index, !(word & PM_FILE),
                                                   cause_at(owner, run->word + i));
                row->again += event == FRAME_AGAIN;
                row->avoided += event == FRAME_AVOIDED;
                break;
            }
            }
        }
        if (row->pages + row->swapped != before && row_last_owner[row_index] != owner_index + 1) {
            row_last_owner[row_index] = owner_index + 1;
            tally->row_owners[row_index]++;
        }
    }
}

/* Pass two. SEEN is this owner's own set: a frame it maps twice is one frame of it. */
static void count_owner(struct tally *tally, const struct snapshot *snapshot, uint32_t owner_index, const struct frame_set *set) {
    const struct owner *owner = &snapshot->owners[owner_index];
    struct counts *counts = &tally->owners[owner_index];
    struct frame_set seen = { 0 };
    for (size_t r = 0; r < owner->run_count; r++) {
        const struct run *run = &owner->runs[r];
        for (size_t i = 0; i < run->pages; i++) {
            uint64_t word = owner->words[run->word + i], key;
            switch (classify(snapshot, run, i, word, &key)) {
            case PAGE_ABSENT: case PAGE_ZERO: break;
            case PAGE_SWAPPED: counts->swapped++; break;
            case PAGE_UNRESOLVED: counts->unresolved++; /* fall through */
            case PAGE_EXCLUSIVE:
                counts->pages++;
                counts->frames++;
                counts->private_copies++;
                counts->causes[cause_at(owner, run->word + i)]++;
                break;
            case PAGE_KEYED:
                counts->pages++;
                if (frame_add(&seen, key, 0, 0, false, CAUSE_UNKNOWN) == FRAME_FIRST)
                    add_frame(counts, frame_find(set, key));
                else
                    counts->again++;
                break;
            }
        }
    }
    frame_set_free(&seen);
}

static int compare_frame_rows(const void *a, const void *b) {
    const struct frame_row *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* Frames that several rows map: once per row, once per object, once in the total. */
static void count_overlaps(struct tally *tally, const struct frame_set *set) {
    struct frame_row *pairs = must_alloc(set->more_count, sizeof *pairs);
    size_t count = 0;
    for (size_t i = 0; i < set->more_slots; i++)
        if (set->more[i].row != FRAME_NO_ROW)
            pairs[count++] = set->more[i];
    qsort(pairs, count, sizeof *pairs, compare_frame_rows);
    for (size_t i = 0; i < count; i++) {
        const struct frame *frame = frame_find(set, pairs[i].key);
        add_frame(&tally->rows[pairs[i].row], frame);
        tally->rows_overlap++;
        uint32_t object = pairs[i].row / SEGMENT_KINDS;
        bool counted = frame->row / SEGMENT_KINDS == object;
        /* sorted by row within a frame, so an object's rows are neighbours */
        if (i > 0 && pairs[i - 1].key == pairs[i].key && pairs[i - 1].row / SEGMENT_KINDS == object)
            counted = true;
        if (!counted)
            add_frame(&tally->objects[object], frame);
    }
    free(pairs);
}

static void count_object_owners(struct tally *tally, const struct snapshot *snapshot) {
    uint32_t *last = must_alloc(snapshot->object_count, sizeof *last);
    for (uint32_t o = 0; o < snapshot->owner_count; o++) {
        const struct owner *owner = &snapshot->owners[o];
        for (size_t r = 0; r < owner->run_count; r++) {
            uint32_t object = owner->runs[r].object;
            if (last[object] != o + 1) {
                last[object] = o + 1;
                tally->object_owners[object]++;
            }
        }
    }
    free(last);
}

/* Every private copy has exactly one cause, at every level: a report whose parts do not add up must not be printed. */
static void assert_causes(const struct counts *counts) {
    uint64_t sum = 0;
    for (size_t cause = 0; cause < CAUSES; cause++)
        sum += counts->causes[cause];
    assert(sum == counts->private_copies);
}

void tally_make(struct tally *tally, const struct snapshot *snapshot) {
    size_t row_count = snapshot->object_count * SEGMENT_KINDS;
    *tally = (struct tally){
        .rows = must_alloc(row_count, sizeof *tally->rows),
        .row_owners = must_alloc(row_count, sizeof *tally->row_owners),
        .objects = must_alloc(snapshot->object_count, sizeof *tally->objects),
        .object_owners = must_alloc(snapshot->object_count, sizeof *tally->object_owners),
        .owners = must_alloc(snapshot->owner_count, sizeof *tally->owners),
    };
    struct frame_set set = { 0 };
    uint32_t *row_last_owner = must_alloc(row_count, sizeof *row_last_owner);
    for (uint32_t o = 0; o < snapshot->owner_count; o++)
        add_owner(tally, snapshot, o, &set, row_last_owner);
    free(row_last_owner);

    /* What has no key so far is additive; keyed frames follow, each once in its first row, object and the total. */
    for (size_t row = 0; row < row_count; row++) {
        add_counts(&tally->objects[row / SEGMENT_KINDS], &tally->rows[row]);
        add_counts(&tally->total, &tally->rows[row]);
    }
    for (size_t i = 0; i < set.slot_count; i++) {
        const struct frame *frame = &set.slots[i];
        if (!frame->owners)
            continue;
        add_frame(&tally->rows[frame->row], frame);
        add_frame(&tally->objects[frame->row / SEGMENT_KINDS], frame);
        add_frame(&tally->total, frame);
    }
    count_overlaps(tally, &set);
    for (size_t row = 0; row < row_count; row++)
        add_counts(&tally->kinds[row % SEGMENT_KINDS], &tally->rows[row]);
    for (uint32_t o = 0; o < snapshot->owner_count; o++)
        count_owner(tally, snapshot, o, &set);
    count_object_owners(tally, snapshot);
    frame_set_free(&set);

    assert_causes(&tally->total);
    for (size_t row = 0; row < row_count; row++)
        assert_causes(&tally->rows[row]);
    for (size_t i = 0; i < snapshot->object_count; i++)
        assert_causes(&tally->objects[i]);
    for (size_t i = 0; i < snapshot->owner_count; i++)
        assert_causes(&tally->owners[i]);
}

void tally_free(struct tally *tally) {
    free(tally->rows);
    free(tally->row_owners);
    free(tally->objects);
    free(tally->object_owners);
    free(tally->owners);
    *tally = (struct tally){ 0 };
}
