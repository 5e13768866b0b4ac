/* lists.c - sets of owners that a report names, each kept once, whichever segment it was found in. */
#include "pages.h"
#include "../ldr.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash_of(const uint32_t *owners, size_t count) {
    uint64_t hash = count;
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ owners[i]) * UINT64_C(0x9e3779b97f4a7c15) + (hash >> 29);
    return hash ^ hash >> 32;
}

static uint32_t *slot_of(const struct owner_lists *lists, const uint32_t *owners, size_t count) {
    size_t at = hash_of(owners, count) & (lists->slot_count - 1);
    for (;; at = (at + 1) & (lists->slot_count - 1)) {
        uint32_t index = lists->slots[at];
        if (index == 0)
            return &lists->slots[at];
        const struct owner_list *list = &lists->list[index - 1];
        if (list->count == count && memcmp(lists->owners + list->first, owners, count * sizeof *owners) == 0)
            return &lists->slots[at];
    }
}

static void grow_slots(struct owner_lists *lists) {
    free(lists->slots);
    lists->slot_count = lists->slot_count ? lists->slot_count * 2 : 64;
    lists->slots = must_alloc(lists->slot_count, sizeof *lists->slots);
    for (uint32_t i = 0; i < lists->count; i++)
        *slot_of(lists, lists->owners + lists->list[i].first, lists->list[i].count) = i + 1;
}

uint32_t owner_lists_add(struct owner_lists *lists, const struct owner_sets *sets, uint32_t set) {
    uint32_t count = set ? sets->list[set].size : 0;
    if (lists->owner_count + count > lists->owner_room)
        lists->owners = must_grow(lists->owners, lists->owner_room = lists->owner_room * 2 + count + 256, sizeof *lists->owners);
    /* written behind the others, from the last owner back; kept only if it is new */
    uint32_t *owners = lists->owners + lists->owner_count;
    for (uint32_t i = count; i > 0; set = sets->list[set].parent)
        owners[--i] = sets->list[set].owner;
    if (lists->count * 2 >= lists->slot_count)
        grow_slots(lists);
    uint32_t *slot = slot_of(lists, owners, count);
    if (*slot)
        return *slot - 1;
    if (lists->count == lists->room)
        lists->list = must_grow(lists->list, lists->room = lists->room * 2 + 64, sizeof *lists->list);
    lists->list[lists->count] = (struct owner_list){ lists->owner_count, count };
    lists->owner_count += count;
    return (*slot = ++lists->count) - 1;
}

void owner_lists_free(struct owner_lists *lists) {
    free(lists->list);
    free(lists->owners);
    free(lists->slots);
    *lists = (struct owner_lists){ 0 };
}
