/* sets.c - sets of owners as paths of a tree. */
#include "pages.h"
#include "../ldr.h"

#include <stdlib.h>

void owner_sets_free(struct owner_sets *sets) {
    free(sets->list);
    *sets = (struct owner_sets){ 0 };
}

uint32_t owner_set_with(struct owner_sets *sets, uint32_t set, uint32_t owner) {
    if (sets->count + 2 > sets->room) {
        sets->list = must_grow(sets->list, sets->room = sets->room * 2 + 64, sizeof *sets->list);
        if (sets->count == 0)
            sets->list[sets->count++] = (struct owner_set){ 0 };
    }
    if (set && sets->list[set].owner == owner)
        return set;
    /* Children are made in the order of owners: if this one exists it is the newest. */
    uint32_t newest = sets->list[set].newest;
    if (newest && sets->list[newest].owner == owner)
        return newest;
    sets->list[sets->count] = (struct owner_set){ .parent = set, .owner = owner, .size = sets->list[set].size + 1 };
    return sets->list[set].newest = sets->count++;
}
