/* causes.c - reads the private copies of each process and compares them with their files.
 *
 * Memory is read through /proc/PID/mem. process_vm_readv would take two thirds of the time, but it pins what it reads, and the
 * kernel unshares a page that fork left shared before it pins it: measuring would undo the sharing that is measured
 * (gup_must_unshare in mm/gup.c; seen with 1,800 pages of a forked python3). The folder of the process is held open since
 * it was chosen, so another process that got the same PID is never read. Comparing lies between two readings of the page tables:
 * that the word is the same before and after proves which page was read, and costs nothing.
 *
 * The words that relocation writes are collected once per file, when the first private copy of the file is met.
 */
#include "causes.h"
#include "../guard.h"
#include "../ldr.h"
#include "../parallel.h"
#include "places.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/uio.h>
#include <unistd.h>

enum { BATCH_PAGES = 64 };

enum places_state { PLACES_UNREAD, PLACES_KNOWN, PLACES_REFUSED };

struct object_places {
    _Atomic enum places_state state;
    struct places places;
};

/* One thread's. */
struct comparing {
    int mem;
    uint64_t memory[BATCH_PAGES * CAUSE_WORDS], file[CAUSE_WORDS];
};

struct explainer {
    const struct readings *readings;
    struct process *processes;      /* of the run */
    struct object_places **objects; /* one per object so far */
    size_t object_count;
    pthread_mutex_t lock;           /* for reading an object's places */
    struct digest_key key;
    struct comparing *comparing[WORKERS_MAX];
};

struct reading_places { const struct object *object; struct places *places; bool good; };

static void read_places(void *context) {
    struct reading_places *reading = context;
    const struct object *object = reading->object;
    reading->good = object->kind != OBJECT_ELF || places_read(object->file, object->file_len, object->path, reading->places);
}

static const struct object_places *places_of(struct explainer *explainer, uint32_t index) {
    struct object_places *known = explainer->objects[index];
    if (atomic_load_explicit(&known->state, memory_order_acquire) != PLACES_UNREAD)
        return known;
    pthread_mutex_lock(&explainer->lock);
    if (atomic_load_explicit(&known->state, memory_order_relaxed) == PLACES_UNREAD) {
        const struct object *object = &explainer->readings->files.objects[index];
        struct reading_places reading = { object, &known->places, false };
        bool good = object->file && guarded(read_places, &reading) && reading.good;
        if (!good)
            known->places = (struct places){ 0 };
        atomic_store_explicit(&known->state, good ? PLACES_KNOWN : PLACES_REFUSED, memory_order_release);
    }
    pthread_mutex_unlock(&explainer->lock);
    return known;
}

/* The page's bytes in the file; beyond its end they are zero in memory too. NULL when they cannot be had: data files shrink
 * under those who map them, so these are read by the kernel, which says so where we would be killed. */
static const uint64_t *file_page(struct comparing *comparing, const struct object *object, uint64_t page) {
    uint64_t off = page << PAGE_SHIFT;
    const char *at = (const char *)object->file + off;
    size_t len = off >= object->file_len ? 0 : object->file_len - off < PAGE_LEN ? object->file_len - off : PAGE_LEN;
    if (len == PAGE_LEN && object->kind == OBJECT_ELF)
        return (const uint64_t *)(const void *)at;
    memset(comparing->file, 0, sizeof comparing->file);
    struct iovec to = { comparing->file, len }, from = { (void *)at, len };
    if (len && process_vm_readv(getpid(), &to, 1, &from, 1, 0) != (ssize_t)len)
        return NULL;
    return comparing->file;
}

static enum page_cause cause_of_page(struct explainer *explainer, struct comparing *comparing, const struct run *run, size_t i,
                                     const uint64_t *memory) {
    const struct object *object = &explainer->readings->files.objects[run->object];
    if (run->pack) {
        /* Relocated already: whatever differs was written. */
        const struct object *pack = &explainer->readings->files.objects[run->pack - 1];
        const uint64_t *page = pack->file ? file_page(comparing, pack, run->pack_page + i) : NULL;
        return page ? cause_of(memory, page, PAGE_LEN, NULL, 0) : CAUSE_UNKNOWN;
    }
    const struct object_places *known = places_of(explainer, run->object);
    if (!object->file)
        return CAUSE_UNKNOWN;
    const uint64_t *file = file_page(comparing, object, run->file_page + i);
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

static bool may_have_copies(const struct run *run) {
    return run->kind <= SEGMENT_OTHER || run->kind == SEGMENT_FILE || run->kind == SEGMENT_SHARED;
}

static bool is_unexplained_copy(const struct kernel *kernel, const struct owner *owner, size_t at) {
    uint64_t word = word_get(owner, kernel->method, at);
    return (word & PM_PRESENT) && !(word & PM_FILE) && cause_get(owner, at) == CAUSE_UNKNOWN &&
           !(kernel->method == METHOD_FRAMES && kernel->zero_frame && (word & PM_FRAME) == kernel->zero_frame);
}

struct batch {
    struct explainer *explainer;
    struct comparing *comparing;
    struct process *process;
    const struct run *run;
    size_t first, pages;
};

static void compare_batch(void *context) {
    const struct batch *batch = context;
    struct owner *owner = &batch->process->owner;
    for (size_t i = 0; i < batch->pages; i++) {
        const uint64_t *memory = &batch->comparing->memory[i * CAUSE_WORDS];
        size_t page = batch->first + i, word = batch->run->word + page;
        enum page_cause cause = cause_of_page(batch->explainer, batch->comparing, batch->run, page, memory);
        cause_set(owner, word, cause);
        if (cause == CAUSE_RELOCATION)
            content_add(owner, word, digest_make(&batch->explainer->key, memory));
    }
}

/* Pages FIRST..FIRST+COUNT of a run, all copies. */
static void explain_batch(struct explainer *explainer, struct comparing *comparing, struct process *process, const struct run *run,
                          size_t first, size_t count) {
    off_t addr = (off_t)(run->addr + ((uint64_t)first << PAGE_SHIFT));
    ssize_t got = comparing->mem < 0 ? -1 : pread(comparing->mem, comparing->memory, count * PAGE_LEN, addr);
    size_t pages = got < 0 ? 0 : (size_t)got >> PAGE_SHIFT;
    struct batch batch = { explainer, comparing, process, run, first, pages };
    /* the file was cut short: nothing that is still to be read of it can be believed */
    if (!guarded(compare_batch, &batch))
        atomic_store_explicit(&explainer->objects[run->object]->state, PLACES_REFUSED, memory_order_release);
    if (comparing->mem < 0)
        process->memory_unreadable = true;
}

static void explain_process(void *context, size_t worker, size_t index) {
    struct explainer *explainer = context;
    struct comparing *comparing = explainer->comparing[worker];
    struct process *process = &explainer->processes[index];
    const struct owner *owner = &process->owner;
    const struct kernel *kernel = explainer->readings->kernel;
    if (process->state != PROCESS_OK)
        return;
    comparing->mem = -2;
    for (size_t r = 0; r < owner->run_count; r++) {
        const struct run *run = &owner->runs[r];
        if (!may_have_copies(run))
            continue;
        for (size_t i = 0, end; i < run->pages; i = end) {
            for (end = i; end < run->pages && end - i < BATCH_PAGES && is_unexplained_copy(kernel, owner, run->word + end); end++)
                ;
            if (end == i) {
                end++;
                continue;
            }
            if (comparing->mem == -2)
                comparing->mem = openat(process->target->proc, "mem", O_RDONLY | O_CLOEXEC);
            explain_batch(explainer, comparing, process, run, i, end - i);
        }
    }
    if (comparing->mem >= 0)
        close(comparing->mem);
}

static void draw_key(struct digest_key *key) {
    for (size_t got = 0; got < sizeof *key; ) {
        ssize_t more = getrandom((char *)key + got, sizeof *key - got, 0);
        if (more > 0) {
            got += (size_t)more;
        } else if (errno != EINTR) {
            warn_ldr("no random numbers from the kernel: %s", strerror(errno));
            exit(LDR_EXIT_FAILED);
        }
    }
}

struct explainer *explainer_new(const struct readings *readings) {
    struct explainer *explainer = must_alloc(1, sizeof *explainer);
    explainer->readings = readings;
    pthread_mutex_init(&explainer->lock, NULL);
    draw_key(&explainer->key);
    return explainer;
}

static void know_objects(struct explainer *explainer, size_t count) {
    explainer->objects = must_grow(explainer->objects, count, sizeof(*explainer->objects));
    for (; explainer->object_count < count; explainer->object_count++)
        explainer->objects[explainer->object_count] = must_alloc(1, sizeof **explainer->objects);
}

void explainer_run(struct explainer *explainer, struct process *processes, size_t count) {
    know_objects(explainer, explainer->readings->files.object_count);
    for (size_t i = 0; i < worker_count(count); i++)
        if (!explainer->comparing[i])
            explainer->comparing[i] = must_alloc(1, sizeof *explainer->comparing[i]);
    explainer->processes = processes;
    parallel_for(count, explain_process, explainer);
}

void explainer_end(struct explainer *explainer, struct collection *collection) {
    const struct snapshot *snapshot = &collection->snapshot;
    know_objects(explainer, snapshot->object_count);
    for (size_t i = 0; i < snapshot->object_count; i++) {
        snapshot->objects[i].unexplained = explainer->objects[i]->state == PLACES_REFUSED;
        collection->files_unexplained += snapshot->objects[i].unexplained;
    }
    for (size_t o = 0; o < snapshot->owner_count; o++) {
        const struct owner *owner = &snapshot->owners[o];
        collection->memory_unreadable += collection->names[o].memory_unreadable;
        for (size_t r = 0; r < owner->run_count && !collection->names[o].memory_unreadable; r++) {
            const struct run *run = &owner->runs[r];
            if (!may_have_copies(run) || explainer->objects[run->object]->state == PLACES_REFUSED)
                continue;
            for (size_t i = 0; i < run->pages; i++)
                collection->causes_changed += is_unexplained_copy(explainer->readings->kernel, owner, run->word + i);
        }
    }
    for (size_t i = 0; i < WORKERS_MAX; i++)
        free(explainer->comparing[i]);
    for (size_t i = 0; i < explainer->object_count; i++) {
        places_free(&explainer->objects[i]->places);
        free(explainer->objects[i]);
    }
    free(explainer->objects);
    pthread_mutex_destroy(&explainer->lock);
    free(explainer);
}
