/* causes.c - reads the private copies of each process and compares them with their files.
 *
 * Memory is read with process_vm_readv, which copies once and takes many places in one call; what it refuses (pages without
 * read permission) through /proc/PID/mem. What was read must still be the page of the snapshot: its page-table word is read once
 * more after the bytes, through the folder that is held open since the process was chosen. That also settles who was read: as
 * long as the folder's process has pages its PID is nobody else's. A page that moved meanwhile has no known cause.
 *
 * The words that relocation writes are collected once per file, when the first private copy of the file is met.
 */
#include "causes.h"
#include "../ldr.h"
#include "parallel.h"
#include "places.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { BATCH_PAGES = 256, STRETCHES_MAX = 128 };

enum places_state { PLACES_UNREAD, PLACES_KNOWN, PLACES_REFUSED };

struct object_places {
    _Atomic enum places_state state;
    struct places places;
};

/* Pages of one run that follow each other and are all copies. */
struct stretch {
    const struct run *run;
    size_t first, count;
};

/* One thread's. */
struct reading {
    struct cause_job *job;
    struct owner *owner;
    pid_t pid;
    int proc, mem, pagemap;  /* mem -1: not opened yet, -2: cannot be */
    bool memory_unreadable;  /* this owner's */
    uint64_t changed;
    struct stretch stretches[STRETCHES_MAX];
    size_t stretch_count, page_count;
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

/* Bytes of all stretches into reading->memory; the number of pages read from the first on. */
static size_t read_memory(struct reading *reading) {
    struct iovec remote[STRETCHES_MAX], local = { reading->memory, reading->page_count * PAGE_LEN };
    for (size_t s = 0; s < reading->stretch_count; s++) {
        const struct stretch *stretch = &reading->stretches[s];
        remote[s] = (struct iovec){ (void *)(uintptr_t)(stretch->run->addr + ((uint64_t)stretch->first << PAGE_SHIFT)),
                                    stretch->count * PAGE_LEN };
    }
    ssize_t got = process_vm_readv(reading->pid, &local, 1, remote, reading->stretch_count, 0);
    if (got < 0 && errno == EPERM)
        reading->mem = -2;
    return got < 0 ? 0 : (size_t)got >> PAGE_SHIFT;
}

/* One page that process_vm_readv did not give. */
static bool read_page(struct reading *reading, uint64_t addr, uint64_t *memory) {
    if (reading->mem == -1) {
        reading->mem = openat(reading->proc, "mem", O_RDONLY | O_CLOEXEC);
        if (reading->mem < 0)
            reading->mem = -2;
    }
    return reading->mem >= 0 && pread(reading->mem, memory, PAGE_LEN, (off_t)addr) == (ssize_t)PAGE_LEN;
}

static void read_batch(struct reading *reading) {
    struct owner *owner = reading->owner;
    enum method method = reading->job->collection->snapshot.method;
    size_t read = read_memory(reading), page = 0;
    for (size_t s = 0; s < reading->stretch_count; s++) {
        const struct stretch *stretch = &reading->stretches[s];
        const struct run *run = stretch->run;
        uint64_t addr = run->addr + ((uint64_t)stretch->first << PAGE_SHIFT);
        bool good[BATCH_PAGES];
        for (size_t i = 0; i < stretch->count; i++)
            good[i] = page + i < read || read_page(reading, addr + (i << PAGE_SHIFT), &reading->memory[(page + i) * CAUSE_WORDS]);
        ssize_t got = pread(reading->pagemap, reading->words, stretch->count * 8, (off_t)(addr >> PAGE_SHIFT) * 8);
        for (size_t i = 0; i < stretch->count; i++, page++) {
            size_t at = run->word + stretch->first + i;
            if (good[i] && got >= (ssize_t)(8 * (i + 1)) && word_place(reading->words[i], method) == word_get(owner, method, at))
                cause_set(owner, at, cause_of_page(reading, run, stretch->first + i, &reading->memory[page * CAUSE_WORDS]));
            else if (!good[i] && reading->mem == -2)
                reading->memory_unreadable = true;
            else
                reading->changed++;
        }
    }
    reading->stretch_count = reading->page_count = 0;
}

static void add_stretch(struct reading *reading, const struct run *run, size_t first, size_t count) {
    while (count) {
        if (reading->stretch_count == STRETCHES_MAX || reading->page_count == BATCH_PAGES)
            read_batch(reading);
        size_t room = BATCH_PAGES - reading->page_count, now = count < room ? count : room;
        reading->stretches[reading->stretch_count++] = (struct stretch){ run, first, now };
        reading->page_count += now;
        first += now;
        count -= now;
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
    reading->owner = owner;
    reading->pid = collection->names[index].pids[0];
    reading->proc = collection->names[index].proc;
    reading->mem = -1;
    reading->pagemap = openat(reading->proc, "pagemap", O_RDONLY | O_CLOEXEC);
    reading->memory_unreadable = false;
    reading->changed = 0;
    for (size_t r = 0; r < owner->run_count; r++) {
        const struct run *run = &owner->runs[r];
        if (run->kind > SEGMENT_OTHER && run->kind != SEGMENT_FILE && run->kind != SEGMENT_SHARED)
            continue; /* no copies of a file's pages */
        for (size_t i = 0, end; i < run->pages; i = end + 1) {
            for (end = i; end < run->pages && is_copy(snapshot, word_get(owner, snapshot->method, run->word + end)); end++)
                ;
            add_stretch(reading, run, i, end - i);
        }
    }
    if (reading->page_count)
        read_batch(reading);
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
