/* tally.c - counts a snapshot: rows (object and segment), objects, owners, classes, totals. Pure.
 *
 * Two passes over the words: the first builds the frame set and splits every page into first / again / avoided; the
 * second, when each frame's owners are known, gives every page its class and every owner its share.
 *
 * What a present word is keyed by:
 *   METHOD_FRAMES    the frame number
 *   METHOD_IDENTITY  a page of the file is (object, page of the file): the page cache holds it once, so that *is* the frame
 *                    (two overlay files over one lower file are the exception: aliases.c finds such, and the report is not exact)
 *                    a copy marked exclusive has no other owner and needs no key
 *                    a copy not marked exclusive has an owner that cannot be named: counted as a frame of its own, and
 *                    as unresolved
 * The zero page, the vDSO, the kernel's rings and what devices map have a class and nothing else.
 */
#include "pages.h"
#include "../ldr.h"
#include "../parallel.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum keying {
    PAGE_ABSENT,
    PAGE_SWAPPED,    /* with METHOD_FRAMES the key is the swap slot */
    PAGE_APART,      /* not counted among frames */
    PAGE_KEYED,      /* has a key: look the owners up */
    PAGE_EXCLUSIVE,  /* a copy that nobody else has */
    PAGE_UNRESOLVED, /* a copy that somebody else has too */
};

static bool is_zero(const struct snapshot *snapshot, const struct run *run, uint64_t word) {
    return word_is_zero(snapshot->method, snapshot->zero_frame, snapshot->huge_zero_frame, run, word);
}

static enum keying find_key(const struct snapshot *snapshot, const struct run *run, size_t page, uint64_t word, uint64_t *key) {
    *key = word & PM_FRAME;
    if (!(word & PM_PRESENT))
        return word & PM_SWAPPED ? PAGE_SWAPPED : PAGE_ABSENT;
    if (run->kind == SEGMENT_VDSO || run->kind == SEGMENT_DEVICE || is_zero(snapshot, run, word))
        return PAGE_APART;
    if (snapshot->method == METHOD_FRAMES)
        return PAGE_KEYED;
    if (word & PM_FILE) {
        *key = run->pack ? page_key(run->pack - 1, run->pack_page + page) : page_key(run->object, run->file_page + page);
        return PAGE_KEYED;
    }
    return word & PM_EXCLUSIVE ? PAGE_EXCLUSIVE : PAGE_UNRESOLVED;
}

/* ---- counts ---- */

static bool is_memory(enum segment_kind kind) { return kind >= SEGMENT_BSS && kind != SEGMENT_FILE && kind != SEGMENT_SHARED && kind != SEGMENT_IMAGES; }

static void add_frame(struct counts *to, const struct tally *tally, const struct frame *frame) {
    to->frames++;
    if (frame_owners(&tally->frames, frame) > 1) {
        to->shared++;
        to->shared_copies += frame->anonymous;
    } else if (!frame->anonymous) {
        to->alone++;
    } else if (is_memory(tally->rows[frame->row].kind)) {
        to->memory++;
    } else {
        to->private_copies++;
        to->causes[frame->cause]++;
    }
}

static void add_unkeyed(struct counts *to, enum segment_kind kind, enum page_cause cause) {
    to->pages++;
    to->frames++;
    if (is_memory(kind)) {
        to->memory++;
    } else {
        to->private_copies++;
        to->causes[cause]++;
    }
}

void counts_add(struct counts *to, const struct counts *from) {
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
    to->memory += from->memory;
    to->unresolved += from->unresolved;
    to->swapped += from->swapped;
    to->images += from->images;
    to->images_avoided += from->images_avoided;
    to->won_relocated += from->won_relocated;
    to->won_duplicates += from->won_duplicates;
    for (size_t class = 0; class < CLASSES; class++)
        to->classes[class] += from->classes[class];
}

/* Pass one. A copy without a key is a frame at once; keyed frames are counted when the set is complete. */
static void add_owner(struct tally *tally, const struct snapshot *snapshot, uint32_t owner_index, uint32_t *row_last_owner) {
    const struct owner *owner = &snapshot->owners[owner_index];
    struct frame_cursor at_frame = { 0 }, at_slot = { 0 };
    for (size_t r = 0; r < owner->run_count; r++) {
        const struct run *run = &owner->runs[r];
        struct row *row = tally_row(tally, run->object, run->kind);
        uint32_t row_index = (uint32_t)(row - tally->rows);
        struct counts *counts = &row->counts;
        bool any = false;
        for (size_t i = 0; i < run->pages; i++) {
            uint64_t word = word_get(owner, snapshot->method, run->word + i), key;
            enum keying keying = find_key(snapshot, run, i, word, &key);
            any |= keying != PAGE_ABSENT && keying != PAGE_APART;
            switch (keying) {
            case PAGE_ABSENT: case PAGE_APART: break;
            case PAGE_SWAPPED:
                counts->swapped++;
                if (snapshot->method == METHOD_FRAMES)
                    frame_add(&tally->slots, &at_slot, key, owner_index, 0, true, CAUSE_UNKNOWN);
                break;
            case PAGE_UNRESOLVED: counts->unresolved++; /* fall through */
            case PAGE_EXCLUSIVE: add_unkeyed(counts, run->kind, cause_get(owner, run->word + i)); break;
            case PAGE_KEYED: {
                counts->pages++;
                enum frame_event event = frame_add(&tally->frames, &at_frame, key, owner_index, row_index, !(word & PM_FILE),
                                                   cause_get(owner, run->word + i));
                counts->again += event == FRAME_AGAIN;
                counts->avoided += event == FRAME_AVOIDED;
                counts->images += run->pack && (word & PM_FILE);
                counts->images_avoided += run->pack && (word & PM_FILE) && event == FRAME_AVOIDED;
                break;
            }
            }
        }
        if (any && row_last_owner[row_index] != owner_index + 1) {
            row_last_owner[row_index] = owner_index + 1;
            row->owners++;
        }
    }
}

/* ---- classes ---- */

static enum page_class class_of_memory(enum segment_kind kind, bool huge) {
    if (huge && kind != SEGMENT_HUGETLB)
        return CLASS_HUGE;
    switch (kind) {
    case SEGMENT_BSS: return CLASS_BSS;
    case SEGMENT_HEAP: return CLASS_HEAP;
    case SEGMENT_STACK: return CLASS_STACK;
    default: return CLASS_ANONYMOUS;
    }
}

static enum page_class class_of_copy(enum page_cause cause) {
    switch (cause) {
    case CAUSE_RELOCATION: return CLASS_PRIVATE_RELOCATION;
    case CAUSE_RELOCATION_AND_WRITE: return CLASS_PRIVATE_RELOCATION_AND_WRITE;
    case CAUSE_WRITE: return CLASS_PRIVATE_WRITE;
    case CAUSE_IDENTICAL: return CLASS_PRIVATE_IDENTICAL;
    default: return CLASS_PRIVATE_UNKNOWN;
    }
}

static enum page_class class_of(const struct tally *tally, const struct run *run, uint64_t word, const struct frame *frame,
                                enum keying keying, enum page_cause cause) {
    uint32_t owners = frame ? frame_owners(keying == PAGE_SWAPPED ? &tally->slots : &tally->frames, frame) : 1;
    switch (keying) {
    case PAGE_ABSENT: return CLASS_ABSENT;
    case PAGE_SWAPPED: return owners > 1 ? CLASS_SWAPPED_SHARED : CLASS_SWAPPED;
    case PAGE_APART:
        if (run->kind == SEGMENT_VDSO)
            return CLASS_VDSO;
        /* pagemap marks what is a page of the kernel's and not only an address */
        return run->kind == SEGMENT_DEVICE ? word & PM_FILE ? CLASS_INSERTED : CLASS_DEVICE : CLASS_ZERO;
    default: break;
    }
    if (run->kind == SEGMENT_HUGETLB)
        return CLASS_HUGETLB;
    if (word & PM_FILE) {
        if (run->pack)
            return owners > 1 ? CLASS_IMAGE_SHARED : CLASS_IMAGE_ALONE;
        if (run->kind == SEGMENT_SHARED)
            return owners > 1 ? CLASS_SHARED_MEMORY_SHARED : CLASS_SHARED_MEMORY_ALONE;
        return owners > 1 ? CLASS_FILE_SHARED : CLASS_FILE_ALONE;
    }
    if (frame && frame->merged)
        return CLASS_MERGED;
    if (owners > 1 || keying == PAGE_UNRESOLVED)
        return CLASS_FORK_SHARED;
    enum segment_kind kind = frame ? tally->rows[frame->row].kind : run->kind;
    return is_memory(kind) ? class_of_memory(run->kind, run->huge) : class_of_copy(frame ? (enum page_cause)frame->cause : cause);
}

enum page_class page_class_of(const struct tally *tally, const struct snapshot *snapshot, uint32_t owner_index, const struct run *run,
                              size_t i, struct frame_cursor *cursor, uint32_t *set, uint32_t *size) {
    const struct owner *owner = &snapshot->owners[owner_index];
    uint64_t word = word_get(owner, snapshot->method, run->word + i), key;
    enum keying keying = find_key(snapshot, run, i, word, &key);
    const struct frame *frame = NULL;
    const struct frame_set *frames = keying == PAGE_SWAPPED ? &tally->slots : &tally->frames;
    struct frame_cursor slot = { 0 };
    if (keying == PAGE_KEYED || (keying == PAGE_SWAPPED && snapshot->method == METHOD_FRAMES))
        frame = frame_find(frames, keying == PAGE_SWAPPED ? &slot : cursor, key);
    if (set)
        *set = frame ? frame->set : 0;
    if (size)
        *size = frame ? frame_owners(frames, frame) : 1;
    return class_of(tally, run, word, frame, keying, cause_get(owner, run->word + i));
}

/* What one thread of pass two adds up for all its owners. */
struct share {
    uint64_t (*classes)[CLASSES]; /* of each row */
    struct histogram *histogram;
};

struct pass_two {
    struct tally *tally;
    const struct snapshot *snapshot;
    struct share shares[WORKERS_MAX];
};

/* Pass two, owner by owner, by several threads: the frames only read. SEEN is this owner's own set of the frames that somebody
 * maps twice: one frame of it each. */
static void count_owner(void *context, size_t worker, size_t owner_index) {
    struct pass_two *pass = context;
    const struct tally *tally = pass->tally;
    const struct snapshot *snapshot = pass->snapshot;
    struct share *share = &pass->shares[worker];
    const struct owner *owner = &snapshot->owners[owner_index];
    struct counts *counts = &tally->owners[owner_index];
    struct frame_set seen = { 0 };
    struct frame_cursor at_frame = { 0 }, at_slot = { 0 }, at_seen = { 0 };
    for (size_t r = 0; r < owner->run_count; r++) {
        const struct run *run = &owner->runs[r];
        uint64_t classes[CLASSES + 1] = { 0 };
        for (size_t i = 0; i < run->pages; i++) {
            uint64_t word = word_get(owner, snapshot->method, run->word + i), key;
            enum keying keying = find_key(snapshot, run, i, word, &key);
            enum page_cause cause = cause_get(owner, run->word + i);
            const struct frame *frame = NULL;
            switch (keying) {
            case PAGE_ABSENT: continue;
            case PAGE_APART: break;
            case PAGE_SWAPPED:
                counts->swapped++;
                if (snapshot->method == METHOD_FRAMES)
                    frame = frame_find(&tally->slots, &at_slot, key);
                break;
            case PAGE_UNRESOLVED: counts->unresolved++; /* fall through */
            case PAGE_EXCLUSIVE:
                add_unkeyed(counts, run->kind, cause);
                share->histogram[1].pages++;
                share->histogram[1].frames++;
                break;
            case PAGE_KEYED:
                counts->pages++;
                counts->images += run->pack && (word & PM_FILE);
                frame = frame_find(&tally->frames, &at_frame, key);
                share->histogram[frame_owners(&tally->frames, frame)].pages++;
                if (!frame->again || frame_add(&seen, &at_seen, key, 0, 0, false, CAUSE_UNKNOWN) == FRAME_FIRST)
                    add_frame(counts, tally, frame);
                else
                    counts->again++;
                break;
            }
            classes[class_of(tally, run, word, frame, keying, cause)]++;
        }
        uint64_t *row = share->classes[tally_row(tally, run->object, run->kind) - tally->rows];
        for (size_t class = 0; class < CLASSES; class++) {
            counts->classes[class] += classes[class];
            row[class] += classes[class];
        }
    }
    frame_set_free(&seen);
}

static void count_owners(struct tally *tally, const struct snapshot *snapshot) {
    struct pass_two pass = { .tally = tally, .snapshot = snapshot };
    uint32_t rows = tally->first_row[snapshot->object_count];
    size_t workers = worker_count(snapshot->owner_count);
    for (size_t i = 0; i < workers; i++) {
        pass.shares[i].classes = must_alloc(rows, sizeof *pass.shares[i].classes);
        pass.shares[i].histogram = must_alloc(snapshot->owner_count + 1, sizeof *pass.shares[i].histogram);
    }
    parallel_for(snapshot->owner_count, count_owner, &pass);
    for (size_t i = 0; i < workers; i++) {
        for (uint32_t row = 0; row < rows; row++)
            for (size_t class = 0; class < CLASSES; class++)
                tally->rows[row].counts.classes[class] += pass.shares[i].classes[row][class];
        for (size_t owners = 0; owners <= snapshot->owner_count; owners++) {
            tally->histogram[owners].pages += pass.shares[i].histogram[owners].pages;
            tally->histogram[owners].frames += pass.shares[i].histogram[owners].frames;
        }
        free(pass.shares[i].classes);
        free(pass.shares[i].histogram);
    }
}

static void mark_merged(struct tally *tally, const struct snapshot *snapshot) {
    struct frame_cursor cursor = { 0 };
    for (size_t i = 0; i < snapshot->merged_count; i++) {
        struct frame *frame = frame_find(&tally->frames, &cursor, snapshot->merged[i]);
        if (frame)
            frame->merged = true;
    }
}

/* ---- frames, when their owners are known ---- */

static void count_frames(struct tally *tally) {
    const struct frame_set *set = &tally->frames;
    for (size_t i = 0; i < set->leaf_count * FRAME_LEAF; i++) {
        const struct frame *frame = &set->frames[i];
        if (!frame->set)
            continue;
        add_frame(&tally->rows[frame->row].counts, tally, frame);
        add_frame(&tally->objects[tally->rows[frame->row].object], tally, frame);
        add_frame(&tally->total, tally, frame);
        tally->histogram[frame_owners(set, frame)].frames++;
    }
}

static int compare_frame_rows(const void *a, const void *b) {
    const struct frame_row *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* Frames that several rows map: once per row, once per object, once in the total. */
static void count_overlaps(struct tally *tally) {
    const struct frame_set *set = &tally->frames;
    struct frame_cursor cursor = { 0 };
    struct frame_row *pairs = must_alloc(set->more_count, sizeof *pairs);
    size_t count = 0;
    for (size_t i = 0; i < set->more_slots; i++)
        if (set->more[i].row != FRAME_NO_ROW)
            pairs[count++] = set->more[i];
    qsort(pairs, count, sizeof *pairs, compare_frame_rows);
    for (size_t i = 0; i < count; i++) {
        const struct frame *frame = frame_find(set, &cursor, pairs[i].key);
        add_frame(&tally->rows[pairs[i].row].counts, tally, frame);
        tally->rows_overlap++;
        uint32_t object = tally->rows[pairs[i].row].object;
        bool counted = tally->rows[frame->row].object == object;
        /* sorted by row within a frame, so an object's rows are neighbours */
        if (i > 0 && pairs[i - 1].key == pairs[i].key && tally->rows[pairs[i - 1].row].object == object)
            counted = true;
        if (!counted)
            add_frame(&tally->objects[object], tally, frame);
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

/* Every frame is of one sort, every private copy has one cause and every page one class, at every level: a report whose
 * parts do not add up must not be printed. */
static void assert_sums(const struct counts *counts) {
    uint64_t causes = 0, classes = 0;
    for (size_t cause = 0; cause < CAUSES; cause++)
        causes += counts->causes[cause];
    for (size_t class = 0; class < CLASSES; class++)
        if (class != CLASS_ZERO && class != CLASS_VDSO && class != CLASS_INSERTED && class != CLASS_DEVICE)
            classes += counts->classes[class];
    assert(causes == counts->private_copies);
    assert(counts->frames == counts->shared + counts->alone + counts->private_copies + counts->memory);
    assert(classes == counts->pages + counts->swapped);
}

void tally_make(struct tally *tally, const struct snapshot *snapshot) {
    *tally = (struct tally){
        .objects = must_alloc(snapshot->object_count, sizeof *tally->objects),
        .object_owners = must_alloc(snapshot->object_count, sizeof *tally->object_owners),
        .owners = must_alloc(snapshot->owner_count, sizeof *tally->owners),
        .histogram = must_alloc(snapshot->owner_count + 1, sizeof *tally->histogram),
    };
    rows_make(tally, snapshot);
    uint32_t row_count = tally->first_row[snapshot->object_count];
    uint32_t *row_last_owner = must_alloc(row_count, sizeof *row_last_owner);
    for (uint32_t o = 0; o < snapshot->owner_count; o++)
        add_owner(tally, snapshot, o, row_last_owner);
    free(row_last_owner);
    mark_merged(tally, snapshot);
    count_owners(tally, snapshot);
    won_count(tally, snapshot);

    /* What has no key so far is additive; keyed frames follow, each once in its first row, object and the total. */
    for (uint32_t row = 0; row < row_count; row++) {
        counts_add(&tally->objects[tally->rows[row].object], &tally->rows[row].counts);
        counts_add(&tally->total, &tally->rows[row].counts);
    }
    count_frames(tally);
    count_overlaps(tally);
    for (uint32_t row = 0; row < row_count; row++)
        counts_add(&tally->kinds[tally->rows[row].kind], &tally->rows[row].counts);
    count_object_owners(tally, snapshot);

    assert_sums(&tally->total);
    for (uint32_t row = 0; row < row_count; row++)
        assert_sums(&tally->rows[row].counts);
    for (size_t i = 0; i < snapshot->object_count; i++)
        assert_sums(&tally->objects[i]);
    for (size_t i = 0; i < snapshot->owner_count; i++)
        assert_sums(&tally->owners[i]);
}

void tally_free(struct tally *tally) {
    free(tally->rows);
    free(tally->first_row);
    free(tally->objects);
    free(tally->object_owners);
    free(tally->owners);
    free(tally->histogram);
    frame_set_free(&tally->frames);
    frame_set_free(&tally->slots);
    for (size_t i = 0; i < tally->duplicates_count; i++)
        free(tally->duplicates[i].objects);
    free(tally->duplicates);
    free(tally->won_pages);
    *tally = (struct tally){ 0 };
}
