/* stats.h - `ldr run --stats`: what a program's run cost, as a textbook tells it: phases, faults, pages. */
#ifndef LDR_TRACE_STATS_H
#define LDR_TRACE_STATS_H

#include "trace.h"

#include <sys/types.h>

struct stats_range { uint64_t start, end; char *path; bool executable; uint64_t present, private_copies, swapped; };     /* one mapping at the end */
struct stats {
    bool looked;              /* the members below are known */
    struct stats_range *ranges;
    size_t count;
    uint64_t minor, major, peak_kib;
};
/* stats_look - everything about the process that is about to end. For watch_child. */
void stats_look(pid_t pid, void *stats);
/* stats_print - text or, as_json, one JSON object. wall as for trace_text */
void stats_print(const struct stats *stats, const struct record *record, pid_t pid, const struct wall *wall, bool as_json, FILE *out);
void stats_free(struct stats *stats);

#endif
