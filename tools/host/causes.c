/* causes.c - reads the private copies of each process and compares them with their files.
 *
 * Memory is read through /proc/PID/mem. process_vm_readv would be a third faster, but it pins what it reads, and the kernel unshares
 * a page that fork left shared before it pins it: measuring would undo the sharing that is measured (gup_must_unshare in
 * mm/gup.c; seen with 1,800 pages of a forked python3). The folder of the process is held open since it was chosen, so another
 * process that got the same PID is never read. What is read must still be the page of the snapshot: its page-table word is
 * read once more after the bytes, and a page that moved meanwhile (or a process that executed another program) has no
 * known cause.
 *
 * The words that relocation writes are collected once per file, when the first private copy of the file is met.
 */
#include "causes.h"
#include "../ldr.h"
#include "parallel.h"
#include "places.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { BATCH_PAGES = 64 };

enum places_state { PLACES_UNREAD, PLACES_KNOWN, PLACES_REFUSED };

struct object_places {
    _Atomic enum places_state state;
    struct places places;
};

/* One thread's. */
struct reading {
    struct cause_job *job;
    int mem, pagemap;
    bool memory_unreadable; /* this owner's */
    uint64_t changed;
    uint64_t memory[BATCH_PAGES * CAUSE_WORDS], file[CAUSE_WORDS], words[BATCH_PAGES];
};

struct cause_job {
    struct collection *collection;
    struct object_places *objects;
    pthread_mutex_t lock; /* for reading an object's places */
    struct reading *readings[WORKERS_MAX];
    atomic_uint_least64_t memory_unreadable, files_unexplained, changed;
};

static const struct object_places *places_of(struct cause_job *job, uint32_t index) {
    struct object_places *known = &job->objects[index];
    if (atomic_load_explicit(&known->state, memory_order_acquire) != PLACES_UNREAD)
        return known;
    pthread_mutex_lock(&job->lock);
    if (atomic_load_explicit(&known->state, memory_order_relaxed) == PLACES_UNREAD) {
        const struct object *object = &job->collection->snapshot.objects[index];
        bool elf = object->kind == OBJECT_ELF;
        bool good = object->file && (!elf || places_read(object->file, object->file_len, object->path, &known->places));
        job->files_unexplained += !good;
        atomic_store_explicit(&known->state, good ? PLACES_KNOWN : PLACES_REFUSED, memory_order_release);
    }
    pthread_mutex_unlock(&job->lock);
    return known;
}

/* The page's bytes in the file; beyond its end they are zero in memory too. NULL when they cannot be had: data files shrink
 * under those who map them, so these are read by the kernel, which says so where we would be killed. */
static const uint64_t *file_page(struct reading *reading, const struct object *object, uint64_t page) {
    uint64_t off = page << PAGE_SHIFT;
    const char *at = (const char *)object->file + off;
    size_t len = off >= object->file_len ? 0 : object->file_len - off < PAGE_LEN ? object->file_len - off : PAGE_LEN;
    if (len == PAGE_LEN && object->kind == OBJECT_ELF)
        return (const uint64_t *)(const void *)at;
    memset(reading->file, 0, sizeof reading->file);
    struct iovec to = { reading->file, len }, from = { (void *)at, len };
    if (len && process_vm_readv(getpid(), &to, 1, &from, 1, 0) != (ssize_t)len)
        return NULL;
    return reading->file;
}

static enum page_cause cause_of_page(struct reading *reading, const struct run *run, size_t i, const uint64_t *memory) {
    const struct object *object = &reading->job->collection->snapshot.objects[run->object];
    const struct object_places *known = places_of(reading->job, run->object);
    if (!object->file)
        return CAUSE_UNKNOWN;
    const uint64_t *file = file_page(reading, object, run->file_page + i);
    if (!file)
        return CAUSE_UNKNOWN;
    /* Bytes of the file that no segment puts here are not the linker's to write. */
    if (run->kind == SEGMENT_OTHER || object->kind != OBJECT_ELF)
        return cause_of(memory, file, PAGE_LEN, NULL, 0);
    if (known->state != PLACES_KNOWN)
        return memcmp(memory, file, PAGE_LEN) == 0 ? CAUSE_IDENTICAL : CAUSE_UNKNOWN;
    uint64_t vaddr = run->addr + ((uint64_t)i << PAGE_SHIFT) - run->bias;
    return cause_of(memory, file, shape_data_len(&object->shape, vaddr), places_at(&known->places, vaddr), run->bias);
}

/* Pages FIRST..FIRST+COUNT of a run, all copies. */
static void read_batch(struct reading *reading, struct owner *owner, const struct run *run, size_t first, size_t count) {
    enum method method = reading->job->collection->snapshot.method;
    uint64_t addr = run->addr + ((uint64_t)first << PAGE_SHIFT);
    ssize_t got = reading->mem < 0 ? -1 : pread(reading->mem, reading->memory, count * PAGE_LEN, (off_t)addr);
    size_t pages = got < 0 ? 0 : (size_t)got >> PAGE_SHIFT;
    if (pages)
        got = pread(reading->pagemap, reading->words, pages * 8, (off_t)(addr >> PAGE_SHIFT) * 8);
    size_t words = pages && got > 0 ? (size_t)got / 8 : 0;
    for (size_t i = 0; i < count; i++) {
        size_t at = run->word + first + i;
        if (i < words && word_place(reading->words[i], method) == word_get(owner, method, at))
            cause_set(owner, at, cause_of_page(reading, run, first + i, &reading->memory[i * CAUSE_WORDS]));
        else if (reading->mem < 0)
            reading->memory_unreadable = true;
        else
            reading->changed++;
    }
}

static bool is_copy(const struct snapshot *snapshot, uint64_t word) {
    return (word & PM_PRESENT) && !(word & PM_FILE) &&
           !(snapshot->method == METHOD_FRAMES && snapshot->zero_frame && (word & PM_FRAME) == snapshot->zero_frame);
}

static void explain_owner(void *context, size_t worker, size_t index) {
    struct cause_job *job = context;
    struct collection *collection = job->collection;
    const struct snapshot *snapshot = &collection->snapshot;
    struct reading *reading = job->readings[worker];
    struct owner *owner = &collection->snapshot.owners[index];
    reading->mem = openat(collection->names[index].proc, "mem", O_RDONLY | O_CLOEXEC);
    reading->pagemap = openat(collection->names[index].proc, "pagemap", O_RDONLY | O_CLOEXEC);
    reading->memory_unreadable = false;
    reading->changed = 0;
    for (size_t r = 0; r < owner->run_count; r++) {
        const struct run *run = &owner->runs[r];
        if (run->kind > SEGMENT_OTHER && run->kind != SEGMENT_FILE && run->kind != SEGMENT_SHARED)
            continue; /* no copies of a file's pages */
        for (size_t i = 0, end; i < run->pages; i = end) {
            for (end = i; end < run->pages && end - i < BATCH_PAGES &&
                          is_copy(snapshot, word_get(owner, snapshot->method, run->word + end)); end++)
                ;
            if (end > i)
                read_batch(reading, owner, run, i, end - i);
            else
                end++;
        }
    }
    job->memory_unreadable += reading->memory_unreadable;
    job->changed += reading->changed;
    if (reading->mem >= 0)
        close(reading->mem);
    if (reading->pagemap >= 0)
        close(reading->pagemap);
}

void find_causes(struct collection *collection) {
    const struct snapshot *snapshot = &collection->snapshot;
    struct cause_job *job = must_alloc(1, sizeof *job);
    job->collection = collection;
    job->objects = must_alloc(snapshot->object_count, sizeof *job->objects);
    pthread_mutex_init(&job->lock, NULL);
    for (size_t i = 0; i < worker_count(snapshot->owner_count); i++) {
        job->readings[i] = must_alloc(1, sizeof *job->readings[i]);
        job->readings[i]->job = job;
    }
    parallel_for(snapshot->owner_count, explain_owner, job);
    collection->memory_unreadable = job->memory_unreadable;
    collection->files_unexplained = job->files_unexplained;
    collection->causes_changed = job->changed;
    for (size_t i = 0; i < WORKERS_MAX; i++)
        free(job->readings[i]);
    for (size_t i = 0; i < snapshot->object_count; i++)
        places_free(&job->objects[i].places);
    pthread_mutex_destroy(&job->lock);
    free(job->objects);
    free(job);
}
