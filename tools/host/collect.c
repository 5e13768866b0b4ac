/* collect.c - one consistent snapshot of many page tables, although the kernel gives them one by one.
 *
 * Frames move (compaction, reclaim, copy-on-write) while we read process after process, and a freed frame is soon somebody
 * else's: one reading of everything can show sharing that never was. So everything is read again until two readings in a
 * row are equal in every word. Then each word held from its first reading to its second, and the moment between the two
 * readings saw all of them at once. (A word that changed and changed back in between is the only gap.)
 *
 * pagemap is used and not smaps: smaps divides by map counts, which are averages for large folios on newer kernels, and
 * holds the target's mmap lock far longer.
 */
#include "collect.h"
#include "../ldr.h"
#include "../progress.h"
#include "agree.h"
#include "build_id.h"
#include "causes.h"
#include "kernel.h"
#include "../parallel.h"
#include "reading.h"
#include "smaps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* Many processes at once, one thread per core. */
struct collector {
    struct readings readings;
    struct process *processes;
    struct reader readers[WORKERS_MAX];
};

static void read_one(void *context, size_t worker, size_t index) {
    struct collector *collector = context;
    if (collector->processes[index].state == PROCESS_OK)
        reading_take(&collector->readings, &collector->readers[worker], &collector->processes[index]);
}

static void compare_one(void *context, size_t worker, size_t index) {
    struct collector *collector = context;
    if (collector->processes[index].state == PROCESS_OK)
        process_compare(&collector->readings, &collector->readers[worker], &collector->processes[index]);
}

static void read_smaps(void *context, size_t worker, size_t index) {
    struct collector *collector = context;
    smaps_take(&collector->readings, &collector->readers[worker], &collector->processes[index]);
}

static int compare_vmas(const void *a, const void *b) {
    const struct process *x = *(struct process *const *)a, *y = *(struct process *const *)b;
    if (x->vma_count != y->vma_count)
        return x->vma_count < y->vma_count ? -1 : 1;
    int order = memcmp(x->vmas, y->vmas, x->vma_count * sizeof *x->vmas);
    if (order == 0)
        order = x->target->pid < y->target->pid ? -1 : x->target->pid > y->target->pid;
    return order;
}

/* Puts PROCESS into the group of address spaces that have equal maps, ordered by the kernel's own order of them.
 * Returns the process that already stands for the same address space, or NULL. */
static struct process *insert_by_memory(struct process **group, size_t *count, struct process *process, bool *unchecked) {
    size_t low = 0, high = *count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = 1, same = same_memory(process->target->task, group[middle]->target->task, &order);
        if (same == 1)
            return group[middle];
        if (same < 0 && same != -ESRCH)
            *unchecked = true;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    memmove(&group[low + 1], &group[low], (*count - low) * sizeof *group);
    group[low] = process;
    ++*count;
    return NULL;
}

/* Owners are address spaces: processes made with CLONE_VM (vfork children, some thread libraries) share one. Only processes
 * with equal maps can, so only those are put to the kernel. same_as[i] is the process that i is the same memory as. */
static void find_same_memory(struct process *processes, size_t count, struct process **same_as, bool *unchecked) {
    struct process **sorted = must_alloc(count, sizeof *sorted), **group = must_alloc(count + 1, sizeof *group);
    size_t alive = 0;
    for (size_t i = 0; i < count; i++)
        if (processes[i].state == PROCESS_OK)
            sorted[alive++] = &processes[i];
    qsort(sorted, alive, sizeof *sorted, compare_vmas);
    for (size_t i = 0, end; i < alive; i = end) {
        size_t group_count = 0;
        for (end = i; end < alive && sorted[end]->vma_count == sorted[i]->vma_count &&
                      memcmp(sorted[end]->vmas, sorted[i]->vmas, sorted[i]->vma_count * sizeof *sorted[i]->vmas) == 0; end++)
            same_as[sorted[end] - processes] = insert_by_memory(group, &group_count, sorted[end], unchecked);
    }
    free(group);
    free(sorted);
}

static void hand_over(struct process *processes, size_t count, struct targets *targets, struct collection *collection) {
    struct process **same_as = must_alloc(count, sizeof *same_as);
    uint32_t *owner_of = must_alloc(count, sizeof *owner_of);
    find_same_memory(processes, count, same_as, &collection->memory_unchecked);
    struct snapshot *snapshot = &collection->snapshot;
    snapshot->owners = must_alloc(count, sizeof *snapshot->owners);
    collection->names = must_alloc(count, sizeof *collection->names);
    for (size_t i = 0; i < count; i++) {
        struct process *process = &processes[i];
        if (process->state != PROCESS_OK || process->vma_count == 0) {
            static const enum left_why why[] = { [PROCESS_UNREADABLE] = LEFT_UNREADABLE, [PROCESS_GONE] = LEFT_VANISHED, [PROCESS_REFUSED] = LEFT_UNOPENED };
            if (process->state != PROCESS_OK)
                left_add(targets, process->target->pid, why[process->state], process->error);
            process_free(process);
        } else {
            /* equal maps are sorted by PID: whoever stands for an address space comes before its other processes here */
            size_t owner;
            if (same_as[i]) {
                owner = owner_of[same_as[i] - processes];
                process_free(process);
            } else {
                owner = snapshot->owner_count++;
                snapshot->owners[owner] = process->owner;
                process->owner = (struct owner){ 0 };
                collection->names[owner].name = process->target->name;
                collection->names[owner].proc = process->target->proc;
                collection->names[owner].memory_unreadable = process->memory_unreadable;
                collection->names[owner].facts = process->facts;
                collection->names[owner].smaps = process->smaps;
                collection->names[owner].smaps_count = process->smaps_count;
                process->smaps = NULL;
                collection->disagreeing += process->disagrees;
                collection->markers += process->markers;
            }
            owner_of[i] = (uint32_t)owner;
            struct owner_name *name = &collection->names[owner];
            name->pids = must_grow(name->pids, name->pid_count + 1, sizeof *name->pids);
            name->pids[name->pid_count++] = process->target->pid;
        }
        process_free(process);
    }
    free(owner_of);
    free(same_as);
}

/* Pages in swap, when two or more owners have such: a slot that both refer to cannot be told from two slots. */
static uint64_t swapped_of_several(const struct snapshot *snapshot) {
    uint64_t swapped = 0;
    size_t owners = 0;
    for (size_t o = 0; o < snapshot->owner_count; o++) {
        const struct owner *owner = &snapshot->owners[o];
        uint64_t before = swapped;
        for (size_t i = 0; i < owner->word_count && owner->wide_count; i++)
            swapped += (word_get(owner, snapshot->method, i) & PM_SWAPPED) != 0;
        owners += swapped != before;
    }
    return owners > 1 ? swapped : 0;
}

static int compare_left(const void *a, const void *b) {
    const struct left_out *x = a, *y = b;
    if (x->why != y->why)
        return x->why < y->why ? -1 : 1;
    return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static struct collector *begin(const struct kernel *kernel, enum scope scope, size_t process_count) {
    struct collector *collector = must_alloc(1, sizeof *collector);
    struct readings *readings = &collector->readings;
    readings->kernel = kernel;
    readings->scope = scope;
    pthread_mutex_init(&readings->lock, NULL);
    files_start(&readings->files, kernel, scope == SCOPE_ALL);
    collector->processes = must_alloc(process_count, sizeof *collector->processes);
    return collector;
}

/* What the readings found becomes the collection's. */
static void hand_over_all(struct collector *collector, size_t process_count, struct targets *targets, struct collection *collection) {
    struct readings *readings = &collector->readings;
    const struct kernel *kernel = readings->kernel;
    for (size_t i = 0; i < WORKERS_MAX; i++)
        reader_free(&collector->readers[i]);
    hand_over(collector->processes, process_count, targets, collection);
    if (targets->left_count)
        qsort(targets->left, targets->left_count, sizeof *targets->left, compare_left);
    struct snapshot *snapshot = &collection->snapshot;
    snapshot->method = kernel->method;
    snapshot->scope = readings->scope;
    snapshot->zero_frame = kernel->zero_frame;
    snapshot->huge_zero_frame = kernel->huge_zero_frame;
    snapshot->objects = readings->files.objects;
    snapshot->object_count = readings->files.object_count;
    for (size_t i = 0; i < snapshot->object_count; i++) {
        struct object *object = &snapshot->objects[i];
        collection->shapes_unknown += object->kind == OBJECT_ELF && !object->shape.known;
        if (object->kind == OBJECT_ELF && object->file)
            object->build_id_len = (uint8_t)build_id_read(object->file, object->file_len, object->path, object->build_id, BUILD_ID_LEN);
    }
    files_end(&readings->files);
}

static void end(struct collector *collector) {
    pthread_mutex_destroy(&collector->readings.lock);
    free(collector->processes);
    free(collector);
}

void collect(struct targets *targets, enum scope scope, bool causes, struct collection *collection) {
    double start = now();
    *collection = (struct collection){ 0 };
    struct kernel kernel;
    kernel_look(&kernel);
    struct collector *collector = begin(&kernel, scope, targets->count);
    for (size_t i = 0; i < targets->count; i++)
        collector->processes[i].target = &targets->list[i];

    struct explainer *explainer = causes ? explainer_new(&collector->readings) : NULL;
    for (;;) {
        progress_phase("reading page tables of processes", targets->count);
        parallel_for(targets->count, read_one, collector);
        collection->unstable = 0;
        for (size_t i = 0; i < targets->count; i++)
            if (collector->processes[i].state == PROCESS_OK)
                collection->unstable += collector->processes[i].changed;
        collection->readings++;
        if (collection->readings >= 2 && (!collection->unstable || collection->readings == READINGS_MAX))
            break;
        if (!causes)
            continue;
        progress_phase("comparing private pages with files, by process", targets->count);
        explainer_run(explainer, collector->processes, targets->count);
    }

    parallel_for(targets->count, compare_one, collector);
    hand_over_all(collector, targets->count, targets, collection);
    struct snapshot *snapshot = &collection->snapshot;
    collection->identity_unsure = objects_unsure(snapshot);
    collection->swap_unnamed = kernel.method == METHOD_IDENTITY ? swapped_of_several(snapshot) : 0;
    collection->merged_unknown = !kernel_find_merged(snapshot);
    collection->causes_sought = causes;
    if (causes)
        explainer_end(explainer, collection);
    kernel_free(&kernel);
    progress_phase("counting pages, by process", 2 * snapshot->owner_count); /* the tally follows */
    end(collector);
    collection->elapsed_s = now() - start;
}

/* ---- the last resort ---- */

static bool is_unreadable(const struct targets *targets, pid_t pid) {
    for (size_t i = 0; i < targets->left_count; i++)
        if (targets->left[i].why == LEFT_UNREADABLE && targets->left[i].pid == pid)
            return true;
    return false;
}

size_t targets_with_smaps(const struct targets *targets) {
    size_t count = 0;
    for (size_t i = 0; i < targets->count; i++) {
        int fd = is_unreadable(targets, targets->list[i].pid) ? openat(targets->list[i].proc, "smaps", O_RDONLY | O_CLOEXEC) : -1;
        count += fd >= 0;
        if (fd >= 0)
            close(fd);
    }
    return count;
}

/* They are asked again, and left out for whatever is found now. */
static void forget_left(struct targets *targets, const struct process *processes, size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < targets->left_count; i++) {
        bool again = false;
        for (size_t p = 0; p < count && targets->left[i].why == LEFT_UNREADABLE && !again; p++)
            again = processes[p].target->pid == targets->left[i].pid;
        targets->left_by[LEFT_UNREADABLE] -= again;
        if (!again)
            targets->left[kept++] = targets->left[i];
    }
    targets->left_count = kept;
}

void collect_smaps(struct targets *targets, enum scope scope, struct collection *collection) {
    double start = now();
    *collection = (struct collection){ .readings = 1 };
    struct kernel kernel;
    kernel_look(&kernel);
    kernel.method = METHOD_SMAPS;
    struct collector *collector = begin(&kernel, scope, targets->count);
    size_t count = 0;
    for (size_t i = 0; i < targets->count; i++)
        if (is_unreadable(targets, targets->list[i].pid))
            collector->processes[count++].target = &targets->list[i];
    forget_left(targets, collector->processes, count);
    progress_phase("reading smaps of processes", count);
    parallel_for(count, read_smaps, collector);
    hand_over_all(collector, count, targets, collection);
    kernel_free(&kernel);
    end(collector);
    collection->elapsed_s = now() - start;
}

void collection_free(struct collection *collection) {
    struct snapshot *snapshot = &collection->snapshot;
    for (size_t i = 0; i < snapshot->owner_count; i++) {
        free(snapshot->owners[i].runs);
        words_free(&snapshot->owners[i]);
        free(collection->names[i].pids);
        free(collection->names[i].smaps);
    }
    free(snapshot->owners);
    free(collection->names);
    for (size_t i = 0; i < snapshot->object_count; i++) {
        free(snapshot->objects[i].path);
        free(snapshot->objects[i].shape.loads);
        if (snapshot->objects[i].file)
            munmap((void *)snapshot->objects[i].file, snapshot->objects[i].file_len);
    }
    free(snapshot->objects);
    free(snapshot->merged);
    *collection = (struct collection){ 0 };
}
