/* reading.h - one reading of one process: its mappings and their page-table words. */
#ifndef LDR_HOST_READING_H
#define LDR_HOST_READING_H

#include "collect.h"
#include "files.h"
#include "regions.h"

#include <pthread.h>

enum process_state { PROCESS_OK, PROCESS_GONE, PROCESS_UNREADABLE, PROCESS_REFUSED /* for want of descriptors or memory */ };

struct process {
    const struct target *target;
    enum process_state state;
    int error;                       /* -errno that made it so */
    struct vma *vmas;
    size_t vma_count;
    struct owner owner;
    uint64_t maps_hash, maps_turned; /* of the maps text that vmas are from, and files.turned_out then */
    uint64_t changed;                /* pages that the last reading found different; mappings that came or went count at least 1 */
    bool read;                       /* at least once */
    struct proc_facts facts;         /* agree.h sets these three */
    uint64_t markers;
    bool disagrees;
    bool memory_unreadable;          /* found when its copies were to be compared */
    struct smaps_part *smaps;        /* smaps.h; owned */
    size_t smaps_count;
};
void process_free(struct process *process);
/* process_state_of - the state that a 0 or -errno of reading it means */
enum process_state process_state_of(int error);

/* What all readings share. files is to be touched with the lock held only. */
struct readings {
    const struct kernel *kernel;
    enum scope scope;
    struct files files;
    pthread_mutex_t lock;
};

/* Scratch memory of one thread; zeroed by the caller. */
struct reader {
    struct text text;
    struct vma *vmas;
    size_t vma_room;
    struct regions *regions; /* of each vma that was looked into */
    size_t regions_room;
    struct run *runs;
    size_t run_room, run_count;
    uint64_t *chunk;
};
void reader_free(struct reader *reader);

/* reading_take - reads the process once more, over what the last reading found; its state and what changed are set */
void reading_take(struct readings *readings, struct reader *reader, struct process *process);

/* maps_parse - from the text of maps in reader->text, which is cut, into reader->vmas; returns their number. With the lock held. In
 * SCOPE_ELF a file that we cannot open counts once an executable mapping of it was seen. */
size_t maps_parse(struct readings *readings, struct reader *reader, const struct process *process);

#endif
