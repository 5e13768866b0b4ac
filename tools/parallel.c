/* parallel.c - threads that take items from one counter. Processes differ much in size, so nothing is dealt out beforehand. */
#include "parallel.h"
#include "progress.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

struct job {
    void (*work)(void *context, size_t worker, size_t index);
    void *context;
    size_t items;
    atomic_size_t next;
};
struct worker {
    struct job *job;
    size_t number;
    pthread_t thread;
};

size_t worker_count(size_t items) {
    cpu_set_t cores;
    size_t count = sched_getaffinity(0, sizeof cores, &cores) == 0 ? (size_t)CPU_COUNT(&cores) : 1;
    if (count > WORKERS_MAX)
        count = WORKERS_MAX;
    if (count > items)
        count = items;
    return count ? count : 1;
}

static void *run_worker(void *argument) {
    struct worker *worker = argument;
    struct job *job = worker->job;
    for (size_t i; (i = atomic_fetch_add_explicit(&job->next, 1, memory_order_relaxed)) < job->items; ) {
        job->work(job->context, worker->number, i);
        progress_step();
    }
    return NULL;
}

void parallel_for(size_t items, void (*work)(void *context, size_t worker, size_t index), void *context) {
    struct job job = { .work = work, .context = context, .items = items };
    struct worker workers[WORKERS_MAX];
    size_t count = worker_count(items), started = 1;
    for (size_t i = 0; i < count; i++)
        workers[i] = (struct worker){ .job = &job, .number = i };
    /* a thread that cannot be had is one that helps less: the others take its items */
    for (; started < count; started++)
        if (pthread_create(&workers[started].thread, NULL, run_worker, &workers[started]) != 0)
            break;
    run_worker(&workers[0]);
    for (size_t i = 1; i < started; i++)
        pthread_join(workers[i].thread, NULL);
}
