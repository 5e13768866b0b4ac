/* pids.h - a number for each process id. */
#ifndef LDR_TRACE_PIDS_H
#define LDR_TRACE_PIDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pids {                          /* zeroed: none yet */
    struct pids_entry { uint32_t pid; bool used; size_t number; } *entries;
    size_t count, room;                /* room: a power of two */
};
/* pids_at - the number of this pid, to read and to change until the next call; one that is new has *added set and 0 */
size_t *pids_at(struct pids *pids, uint32_t pid, bool *added);
void pids_free(struct pids *pids);

#endif
