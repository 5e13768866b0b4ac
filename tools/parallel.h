/* parallel.h - the same work on many items, by one thread per core. */
#ifndef LDR_PARALLEL_H
#define LDR_PARALLEL_H

#include <stddef.h>

enum { WORKERS_MAX = 16 };

/* worker_count - threads that parallel_for uses for so many items: cores this process may run on, at most WORKERS_MAX and one
 * per item, at least one */
size_t worker_count(size_t items);

/* parallel_for - calls work(context, worker, index) once for every index below items, in any order; returns when all are done.
 * worker is below worker_count(items) and one worker's calls follow each other, so scratch memory can be had per worker. */
void parallel_for(size_t items, void (*work)(void *context, size_t worker, size_t index), void *context);

#endif
