/* frames.c - which frames were seen, by which owners, in which rows.
 *
 * Eight bytes a frame, in leaves of 16 frames whose numbers follow each other; a small hash table finds the leaf. Memory that
 * was allocated together has frame numbers close together, so most look-ups end in the leaf of the one before, and ten
 * million frames take less than a tenth of a gigabyte. A frame is nearly always mapped by one row (an object's segment); the
 * exceptions (file pages in two segments of one file, two overlay files over one lower file) go to a second table of
 * (frame, further row) pairs.
 */
#include "pages.h"
#include "../ldr.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS_MIN = 256 };

/* Keys run in sequences; the multiplication spreads them over the table (Fibonacci hashing). */
static size_t hash(uint64_t key, size_t slot_count) {
    return (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (slot_count - 1);
}

static uint32_t *directory_slot(const struct frame_set *set, uint64_t leaf_key) {
    size_t at = hash(leaf_key, set->directory_slots);
    while (set->directory[at] && set->leaf_keys[set->directory[at] - 1] != leaf_key)
        at = (at + 1) & (set->directory_slots - 1);
    return &set->directory[at];
}

static void grow_directory(struct frame_set *set) {
    free(set->directory);
    set->directory_slots = set->directory_slots ? set->directory_slots * 2 : SLOTS_MIN;
    set->directory = must_alloc(set->directory_slots, sizeof *set->directory);
    for (size_t leaf = 0; leaf < set->leaf_count; leaf++)
        *directory_slot(set, set->leaf_keys[leaf]) = (uint32_t)leaf + 1;
}

static struct frame *leaf_for(struct frame_set *set, uint64_t leaf_key) {
    if (set->leaf_count * 4 >= set->directory_slots * 3)
        grow_directory(set);
    uint32_t *slot = directory_slot(set, leaf_key);
    if (!*slot) {
        if (set->leaf_count == set->leaf_room) {
            set->leaf_room += set->leaf_room / 2 + 64;
            set->frames = must_grow(set->frames, set->leaf_room * FRAME_LEAF, sizeof *set->frames);
            set->leaf_keys = must_grow(set->leaf_keys, set->leaf_room, sizeof *set->leaf_keys);
        }
        memset(&set->frames[set->leaf_count * FRAME_LEAF], 0, FRAME_LEAF * sizeof *set->frames);
        set->leaf_keys[set->leaf_count] = leaf_key;
        *slot = (uint32_t)++set->leaf_count;
    }
    return &set->frames[(size_t)(*slot - 1) * FRAME_LEAF];
}

static struct frame_row *more_slot_of(const struct frame_set *set, uint64_t key, uint32_t row) {
    size_t at = hash(key + row, set->more_slots);
    while (set->more[at].row != FRAME_NO_ROW && (set->more[at].key != key || set->more[at].row != row))
        at = (at + 1) & (set->more_slots - 1);
    return &set->more[at];
}

static void grow_more(struct frame_set *set) {
    struct frame_set bigger = { .more_slots = set->more_slots ? set->more_slots * 2 : SLOTS_MIN };
    bigger.more = must_alloc(bigger.more_slots, sizeof *bigger.more);
    for (size_t i = 0; i < bigger.more_slots; i++)
        bigger.more[i].row = FRAME_NO_ROW;
    for (size_t i = 0; i < set->more_slots; i++)
        if (set->more[i].row != FRAME_NO_ROW)
            *more_slot_of(&bigger, set->more[i].key, set->more[i].row) = set->more[i];
    free(set->more);
    set->more = bigger.more;
    set->more_slots = bigger.more_slots;
}

static void note_row(struct frame_set *set, uint64_t key, uint32_t row) {
    if (set->more_count * 4 >= set->more_slots * 3)
        grow_more(set);
    struct frame_row *slot = more_slot_of(set, key, row);
    if (slot->row == FRAME_NO_ROW) {
        *slot = (struct frame_row){ .key = key, .row = row };
        set->more_count++;
    }
}

enum frame_event frame_add(struct frame_set *set, struct frame_cursor *cursor, uint64_t key, uint32_t owner, uint32_t row,
                           bool anonymous, enum page_cause cause) {
    assert(row < FRAME_ROWS_MAX);
    if (!cursor->leaf || cursor->leaf_key != key / FRAME_LEAF)
        *cursor = (struct frame_cursor){ key / FRAME_LEAF, leaf_for(set, key / FRAME_LEAF) };
    struct frame *frame = &cursor->leaf[key % FRAME_LEAF];
    uint32_t before = frame->set;
    frame->set = owner_set_with(&set->sets, before, owner);
    if (!before) {
        frame->row = row & (FRAME_ROWS_MAX - 1);
        frame->anonymous = anonymous;
        frame->cause = cause & 7;
        set->count++;
        return FRAME_FIRST;
    }
    if (frame->row != row)
        note_row(set, key, row);
    if (frame->set == before) {
        frame->again = true;
        return FRAME_AGAIN;
    }
    return FRAME_AVOIDED;
}

struct frame *frame_find(const struct frame_set *set, struct frame_cursor *cursor, uint64_t key) {
    if (!cursor->leaf || cursor->leaf_key != key / FRAME_LEAF) {
        uint32_t leaf = set->directory_slots ? *directory_slot(set, key / FRAME_LEAF) : 0;
        if (!leaf)
            return NULL;
        *cursor = (struct frame_cursor){ key / FRAME_LEAF, &set->frames[(size_t)(leaf - 1) * FRAME_LEAF] };
    }
    struct frame *frame = &cursor->leaf[key % FRAME_LEAF];
    return frame->set ? frame : NULL;
}

void frame_set_free(struct frame_set *set) {
    free(set->frames);
    free(set->leaf_keys);
    free(set->directory);
    free(set->more);
    owner_sets_free(&set->sets);
    *set = (struct frame_set){ 0 };
}
