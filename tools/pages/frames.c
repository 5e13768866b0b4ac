/* frames.c - which frames were seen, by how many owners, in which rows.
 *
 * One open-addressing table, 24 bytes a slot, grown at three quarters full. A frame is nearly always mapped by one row (an
 * object's segment); the exceptions (file pages in two segments of one file, two overlay files over one lower file) go
 * to a second, small table of (frame, further row) pairs.
 */
#include "pages.h"
#include "../ldr.h"

#include <stdlib.h>

enum { SLOTS_MIN = 1024 };

/* Frame numbers run in sequences; the multiplication spreads them over the table (Fibonacci hashing). */
static size_t hash(uint64_t key, size_t slot_count) {
    return (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (slot_count - 1);
}

static struct frame *slot_of(const struct frame_set *set, uint64_t key) {
    size_t at = hash(key, set->slot_count);
    while (set->slots[at].owners && set->slots[at].key != key)
        at = (at + 1) & (set->slot_count - 1);
    return &set->slots[at];
}

static void grow_frames(struct frame_set *set) {
    struct frame_set bigger = { .slot_count = set->slot_count ? set->slot_count * 2 : SLOTS_MIN };
    bigger.slots = must_alloc(bigger.slot_count, sizeof *bigger.slots);
    for (size_t i = 0; i < set->slot_count; i++)
        if (set->slots[i].owners)
            *slot_of(&bigger, set->slots[i].key) = set->slots[i];
    free(set->slots);
    set->slots = bigger.slots;
    set->slot_count = bigger.slot_count;
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

enum frame_event frame_add(struct frame_set *set, uint64_t key, uint32_t owner, uint32_t row, bool anonymous,
                           enum page_cause cause) {
    if (set->count * 4 >= set->slot_count * 3)
        grow_frames(set);
    struct frame *frame = slot_of(set, key);
    if (!frame->owners) {
        *frame = (struct frame){ .key = key, .owners = 1, .last_owner = owner, .row = row, .anonymous = anonymous,
                                  .cause = (uint8_t)cause };
        set->count++;
        return FRAME_FIRST;
    }
    if (frame->row != row)
        note_row(set, key, row);
    if (frame->last_owner == owner)
        return FRAME_AGAIN;
    frame->owners++;
    frame->last_owner = owner;
    return FRAME_AVOIDED;
}

const struct frame *frame_find(const struct frame_set *set, uint64_t key) {
    if (!set->slot_count)
        return NULL;
    const struct frame *frame = slot_of(set, key);
    return frame->owners ? frame : NULL;
}

void frame_set_free(struct frame_set *set) {
    free(set->slots);
    free(set->more);
    *set = (struct frame_set){ 0 };
}
