/* pids.c - see pids.h: open addressing, at most half full. */
#include "pids.h"
#include "../ldr.h"

#include <stdlib.h>

static struct pids_entry *entry_of(const struct pids *pids, uint32_t pid) {
    size_t at = (size_t)(pid * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (pids->room - 1);
    while (pids->entries[at].used && pids->entries[at].pid != pid)
        at = (at + 1) & (pids->room - 1);
    return &pids->entries[at];
}

static void double_room(struct pids *pids) {
    struct pids larger = { .room = pids->room ? pids->room * 2 : 64, .count = pids->count };
    larger.entries = must_alloc(larger.room, sizeof *larger.entries);
    for (size_t i = 0; i < pids->room; i++)
        if (pids->entries[i].used)
            *entry_of(&larger, pids->entries[i].pid) = pids->entries[i];
    free(pids->entries);
    *pids = larger;
}

size_t *pids_at(struct pids *pids, uint32_t pid, bool *added) {
    if (pids->count * 2 >= pids->room)
        double_room(pids);
    struct pids_entry *entry = entry_of(pids, pid);
    *added = !entry->used;
    if (*added) {
        *entry = (struct pids_entry){ pid, true, 0 };
        pids->count++;
    }
    return &entry->number;
}

void pids_free(struct pids *pids) {
    free(pids->entries);
    *pids = (struct pids){ 0 };
}
