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
#include "causes.h"
#include "files.h"
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK_WORDS = 8192 }; /* 64 KiB of words: 32 MiB of address space per read */

enum process_state { PROCESS_OK, PROCESS_GONE, PROCESS_UNREADABLE };

struct process {
    const struct target *target;
    enum process_state state;
    struct vma *vmas;
    size_t vma_count;
    struct owner owner;
};

struct collector {
    struct files files;
    enum method method;
    struct text text;
    struct vma *vmas; /* scratch for one maps file */
    size_t vma_room;
    uint64_t chunk[CHUNK_WORDS];
};

/* pagemap word of an address of our own; 0 when it cannot be read */
static uint64_t own_word(const volatile void *address) {
    uint64_t word = 0;
    int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    if (pread(fd, &word, sizeof word, (off_t)((uintptr_t)address >> PAGE_SHIFT) * 8) != sizeof word)
        word = 0;
    close(fd);
    return word;
}

/* Without CAP_SYS_ADMIN the kernel fills the frame bits with zeros. */
static enum method find_method(void) {
    volatile char here = 1;
    return own_word(&here) & PM_FRAME ? METHOD_FRAMES : METHOD_IDENTITY;
}

/* Anonymous memory that was only read is mapped to the one zero page. */
static uint64_t find_zero_frame(void) {
    volatile char *page = mmap(NULL, PAGE_LEN, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return 0;
    (void)page[0];
    uint64_t word = own_word(page);
    munmap((void *)page, PAGE_LEN);
    return word & PM_PRESENT ? word & PM_FRAME : 0;
}

/* Reads maps into collector->vmas: the mappings of ELF objects. Their number, or -errno. */
static ssize_t read_vmas(struct collector *collector, const struct process *process) {
    int error = proc_read(process->target->proc, "maps", &collector->text);
    if (error)
        return error;
    struct files *files = &collector->files;
    size_t count = 0;
    struct map_line line;
    /* First all file mappings, .object being the file: a file we cannot open counts once an executable mapping is seen. */
    for (char *at = collector->text.bytes; map_next(&at, &line); ) {
        if (!line.ino || line.path[0] != '/')
            continue;
        if (count == collector->vma_room)
            collector->vmas = must_grow(collector->vmas, collector->vma_room = collector->vma_room * 2 + 256,
                                        sizeof *collector->vmas);
        uint32_t file = files_find(files, process->target->proc, &line);
        if (files->list[file].kind == FILE_UNCLEAR && (line.access & ACCESS_EXEC))
            files->list[file].kind = FILE_ELF;
        collector->vmas[count++] = (struct vma){ line.start, line.end, line.off, line.access, file };
    }
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (files->list[collector->vmas[i].object].kind == FILE_ELF) {
            collector->vmas[kept] = collector->vmas[i];
            collector->vmas[kept].object = files_object(files, collector->vmas[i].object);
            kept++;
        }
    return (ssize_t)kept;
}

struct image { uint32_t object; uint64_t bias; };

static void add_run(struct owner *owner, size_t *room, struct run run) {
    if (owner->run_count == *room)
        owner->runs = must_grow(owner->runs, *room = *room * 2 + 64, sizeof *owner->runs);
    run.word = owner->word_count;
    owner->runs[owner->run_count++] = run;
    owner->word_count += run.pages;
}

/* Cuts the vmas into runs of one segment each, with room for their words. */
static void make_runs(struct process *process, const struct object *objects) {
    struct owner *owner = &process->owner;
    struct image *images = must_alloc(process->vma_count, sizeof *images);
    size_t image_count = 0, room = 0;
    free(owner->runs);
    free(owner->words);
    *owner = (struct owner){ 0 };
    for (size_t i = 0; i < process->vma_count; i++) {
        const struct vma *vma = &process->vmas[i];
        const struct shape *shape = &objects[vma->object].shape;
        if (!shape->known) {
            add_run(owner, &room, (struct run){ vma->start, vma->off >> PAGE_SHIFT, (vma->end - vma->start) >> PAGE_SHIFT, 0,
                                                0, vma->object, kind_by_access(vma->access) });
            continue;
        }
        /* The image this vma belongs to: the latest one of the object that explains it, else a new one. */
        uint64_t bias = 0;
        size_t known = image_count;
        while (known > 0 && !(images[known - 1].object == vma->object && shape_explains(shape, images[known - 1].bias, vma)))
            known--;
        if (known > 0)
            bias = images[known - 1].bias;
        else if (shape_find_bias(shape, vma, &bias))
            images[image_count++] = (struct image){ vma->object, bias };
        for (uint64_t at = vma->start, len; at < vma->end; at += len) {
            uint64_t off = vma->off + (at - vma->start);
            enum segment_kind kind = shape_kind_at(shape, bias, at, off, vma->end - at, &len);
            add_run(owner, &room, (struct run){ at, off >> PAGE_SHIFT, len >> PAGE_SHIFT, 0, bias, vma->object, kind });
        }
    }
    free(images);
    owner->words = must_alloc(owner->word_count, sizeof *owner->words);
}

/* Reads the words of all runs over the old ones; *changed grows by the number that differ. 0 or -errno. */
static int read_words(struct collector *collector, struct owner *owner, int pagemap, uint64_t *changed) {
    for (size_t r = 0; r < owner->run_count; ) {
        /* runs that follow each other in memory have words that follow each other: one read for all */
        uint64_t addr = owner->runs[r].addr, end = addr;
        size_t word = owner->runs[r].word;
        for (; r < owner->run_count && owner->runs[r].addr == end; r++)
            end += owner->runs[r].pages << PAGE_SHIFT;
        while (addr < end) {
            size_t want = (end - addr) >> PAGE_SHIFT;
            if (want > CHUNK_WORDS)
                want = CHUNK_WORDS;
            ssize_t got = pread(pagemap, collector->chunk, want * 8, (off_t)(addr >> PAGE_SHIFT) * 8);
            if (got < 0)
                return -errno;
            if (got < 8)
                return -ESRCH; /* the address space is gone */
            size_t words = (size_t)got / 8;
            for (size_t i = 0; i < words; i++) {
                uint64_t place = word_place(collector->chunk[i], collector->method);
                *changed += owner->words[word + i] != place;
                owner->words[word + i] = place;
            }
            word += words;
            addr += (uint64_t)words << PAGE_SHIFT;
        }
    }
    return 0;
}

static enum process_state state_of_error(int error) {
    return error == -EACCES || error == -EPERM ? PROCESS_UNREADABLE : PROCESS_GONE;
}

/* One reading of one process; *changed grows by what differs from the reading before. */
static void read_process(struct collector *collector, struct process *process, uint64_t *changed) {
    /* pagemap first: an exec between the two opens then shows as a difference in the next reading */
    int pagemap = openat(process->target->proc, "pagemap", O_RDONLY | O_CLOEXEC);
    if (pagemap < 0) {
        process->state = state_of_error(-errno);
        return;
    }
    ssize_t count = read_vmas(collector, process);
    int error = count < 0 ? (int)count : collector->text.len == 0 ? -ESRCH : 0;
    if (!error) {
        size_t len = (size_t)count * sizeof *process->vmas;
        if (!process->owner.words || (size_t)count != process->vma_count || memcmp(collector->vmas, process->vmas, len) != 0) {
            bool first = !process->owner.words;
            process->vmas = must_grow(process->vmas, (size_t)count, sizeof *process->vmas);
            memcpy(process->vmas, collector->vmas, len);
            process->vma_count = (size_t)count;
            make_runs(process, collector->files.objects);
            *changed += !first; /* a mapping that came or went, even with no page in it */
        }
        error = read_words(collector, &process->owner, pagemap, changed);
    }
    close(pagemap);
    if (error)
        process->state = state_of_error(error);
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
        int order = 1, same = same_memory(process->target->pid, group[middle]->target->pid, &order);
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

static void hand_over(struct process *processes, size_t count, struct collection *collection) {
    struct process **same_as = must_alloc(count, sizeof *same_as);
    uint32_t *owner_of = must_alloc(count, sizeof *owner_of);
    find_same_memory(processes, count, same_as, &collection->memory_unchecked);
    struct snapshot *snapshot = &collection->snapshot;
    snapshot->owners = must_alloc(count, sizeof *snapshot->owners);
    collection->names = must_alloc(count, sizeof *collection->names);
    for (size_t i = 0; i < count; i++) {
        struct process *process = &processes[i];
        if (process->state != PROCESS_OK || process->vma_count == 0) {
            collection->unreadable += process->state == PROCESS_UNREADABLE;
            collection->vanished += process->state == PROCESS_GONE;
            free(process->owner.runs);
            free(process->owner.words);
        } else {
            /* equal maps are sorted by PID: whoever stands for an address space comes before its other processes here */
            size_t owner;
            if (same_as[i]) {
                owner = owner_of[same_as[i] - processes];
                free(process->owner.runs);
                free(process->owner.words);
            } else {
                owner = snapshot->owner_count++;
                snapshot->owners[owner] = process->owner;
                collection->names[owner].name = process->target->name;
                collection->names[owner].proc = process->target->proc;
            }
            owner_of[i] = (uint32_t)owner;
            struct owner_name *name = &collection->names[owner];
            name->pids = must_grow(name->pids, name->pid_count + 1, sizeof *name->pids);
            name->pids[name->pid_count++] = process->target->pid;
        }
        free(process->vmas);
    }
    free(owner_of);
    free(same_as);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

void collect(const struct targets *targets, struct collection *collection) {
    double start = now();
    *collection = (struct collection){ 0 };
    struct collector *collector = must_alloc(1, sizeof *collector);
    collector->method = find_method();
    files_start(&collector->files);
    struct process *processes = must_alloc(targets->count, sizeof *processes);
    for (size_t i = 0; i < targets->count; i++)
        processes[i].target = &targets->list[i];

    do {
        uint64_t changed = 0;
        for (size_t i = 0; i < targets->count; i++)
            if (processes[i].state == PROCESS_OK)
                read_process(collector, &processes[i], &changed);
        collection->unstable = changed;
        collection->readings++;
    } while (collection->readings < 2 || (collection->unstable && collection->readings < READINGS_MAX));

    hand_over(processes, targets->count, collection);
    struct snapshot *snapshot = &collection->snapshot;
    snapshot->method = collector->method;
    snapshot->zero_frame = snapshot->method == METHOD_FRAMES ? find_zero_frame() : 0;
    snapshot->objects = collector->files.objects;
    snapshot->object_count = collector->files.object_count;
    for (size_t i = 0; i < snapshot->object_count; i++)
        collection->shapes_unknown += !snapshot->objects[i].shape.known;
    files_end(&collector->files);
    find_causes(collection);
    for (size_t i = 0; i < snapshot->owner_count; i++)
        proc_facts_read(collection->names[i].proc, &collector->text, &collection->names[i].facts);
    free(processes);
    free(collector->vmas);
    text_free(&collector->text);
    free(collector);
    collection->elapsed_s = now() - start;
}

void collection_free(struct collection *collection) {
    struct snapshot *snapshot = &collection->snapshot;
    for (size_t i = 0; i < snapshot->owner_count; i++) {
        free(snapshot->owners[i].runs);
        free(snapshot->owners[i].words);
        free(snapshot->owners[i].causes);
        free(collection->names[i].pids);
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
    *collection = (struct collection){ 0 };
}
