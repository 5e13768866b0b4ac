/* collect.h - takes a snapshot of the page tables of chosen processes: the I/O half of `ldr pages`. */
#ifndef LDR_HOST_COLLECT_H
#define LDR_HOST_COLLECT_H

#include "../pages/pages.h"
#include "proc.h"

#include <sys/types.h>

/* A process to be measured; proc is from proc_open_memory and belongs to the list. */
struct target {
    pid_t pid;
    pid_t task; /* whose folder proc is: a thread, when the first one has ended */
    int proc;
    char *name;
};

/* Why a process that was or may have been meant is not measured. */
enum left_why {
    LEFT_UNREADABLE, /* its page tables may not be read */
    LEFT_UNEXAMINED, /* could not be asked whether it belongs to the list, for want of permission */
    LEFT_UNOPENED,   /* the system refused for want of descriptors or memory */
    LEFT_VANISHED,   /* ended before the snapshot was complete */
    LEFT_WHYS
};
struct left_out { pid_t pid; enum left_why why; int error; }; /* error: -errno, of LEFT_UNOPENED */

struct targets {
    struct target *list;
    size_t count;
    uint64_t missing; /* named, but there is no such process */
    struct left_out *left; /* ascending by why, then by PID, once collect has ended; owned */
    size_t left_count;
    uint64_t left_by[LEFT_WHYS];
};
/* left_add - one more process that is not measured */
void left_add(struct targets *targets, pid_t pid, enum left_why why, int error);

/* Whoever is meant by one of these; nothing given: by linker. */
struct target_choice {
    char *const *words;     /* PIDs and names */
    size_t word_count;
    const pid_t *roots;     /* these processes and what descends from them */
    size_t root_count;
    bool by_user;           /* every process with this real user */
    uid_t user;
    bool all;               /* every process */
    const char *linker;     /* path of ld-ldr.so, NULL if not found */
};

/* choose_targets - the processes asked for, by ascending PID. The calling process itself only if named by its PID.
 * A word that is no number and the name of no process, or a PID without process, is warned about and counted as missing. */
void choose_targets(const struct target_choice *choice, struct targets *targets);
void targets_free(struct targets *targets);
/* is_process - is WORD a PID, or what choose_targets would take for the name of a process? linker: as in target_choice */
bool is_process(const char *word, const char *linker);

/* What smaps says of mappings, in pages but for the last. The first three are what they say; the others come from map counts, which
 * count every process of the machine and are averages for large folios. */
struct smaps_counts {
    uint64_t resident;  /* Rss */
    uint64_t anonymous; /* without a page of a file behind: memory, and private copies */
    uint64_t swapped;
    uint64_t shared, private;
    uint64_t proportional_kib; /* Pss */
};
void smaps_counts_add(struct smaps_counts *to, const struct smaps_counts *from);
struct smaps_part { uint32_t object; enum segment_kind kind; struct smaps_counts counts; };

/* Who an owner is: the processes that share the address space, lowest PID first. */
struct owner_name {
    pid_t *pids;
    size_t pid_count;
    const char *name; /* of the first; points into the targets */
    int proc;         /* the first's /proc folder; the targets' */
    bool memory_unreadable;  /* the causes of its private copies are unknown for that reason */
    struct proc_facts facts; /* the first's, read after the page tables */
    struct smaps_part *smaps;  /* with METHOD_SMAPS, one for each object and segment it maps; owned */
    size_t smaps_count;
};

struct collection {
    struct snapshot snapshot;
    struct owner_name *names;  /* one per owner */
    uint64_t unstable;         /* pages that differed between the last two readings */
    uint64_t shapes_unknown;   /* objects whose program headers could not be read */
    bool causes_sought;        /* false: nobody asked, all are unknown */
    bool memory_unchecked;     /* the kernel would not say whether processes with equal maps share memory */
    uint64_t memory_unreadable; /* owners whose memory we may not read: causes of their private copies unknown */
    uint64_t files_unexplained; /* objects with private copies that our readers could not open or refuse: likewise */
    uint64_t causes_changed;    /* private copies that changed before they were compared: likewise */
    uint64_t disagreeing;       /* owners of which the kernel counts other resident or swapped pages though nothing changed */
    uint64_t markers;           /* words that may be swapped pages or markers, without frame numbers */
    uint64_t identity_unsure;   /* objects that may be one with another: sharing between them is not counted */
    uint64_t swap_unnamed;      /* swapped pages of two and more owners, without frame numbers: the same slots or not */
    bool merged_unknown;       /* KSM has merged pages, and we may not see which: they count as inherited by fork */
    unsigned readings;         /* how often the page tables were read */
    double elapsed_s;
};

/* collect - reads every target's maps and pagemap, again and again until two readings in a row agree (at most READINGS_MAX)
 *   in      causes   find out what made private copies private: half of the time, because all of them must be read
 *   in out  targets  who could not be read is added to those left out */
enum { READINGS_MAX = 6 };
void collect(struct targets *targets, enum scope scope, bool causes, struct collection *collection);

/* collect_smaps - the same for those whose page tables may not be read, from /proc/PID/smaps in one reading: METHOD_SMAPS.
 *   in out  targets  as collect left it: whose smaps can be read is not left out any more */
void collect_smaps(struct targets *targets, enum scope scope, struct collection *collection);
/* targets_with_smaps - of those left out because their page tables may not be read, how many have smaps that can be? */
size_t targets_with_smaps(const struct targets *targets);
void collection_free(struct collection *collection);

#endif
