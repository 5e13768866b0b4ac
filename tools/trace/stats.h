/* stats.h - `ldr run --stats`: what a program's run cost (or has cost so far), as a textbook tells it: phases, faults, pages. */
#ifndef LDR_TRACE_STATS_H
#define LDR_TRACE_STATS_H

#include "trace.h"

#include <sys/types.h>

struct stats_range { uint64_t start, end; char *path; bool executable; uint64_t present, private_copies, swapped; };     /* one mapping when it was looked at */
struct stats {
    bool looked;              /* the members below are known */
    bool running;             /* it goes on: what follows is so far */
    struct stats_range *ranges;
    size_t count;
    uint64_t minor, major, peak_kib;
};
/* stats_look - everything about a process that is about to end (for watch_child), or one that runs on and is not disturbed. */
void stats_look(pid_t pid, void *stats);
/* stats_print - text or, as_json, one JSON object. wall as for trace_text */
void stats_print(const struct stats *stats, const struct record *record, pid_t pid, const struct wall *wall, bool as_json, FILE *out);
void stats_free(struct stats *stats);

#endif
