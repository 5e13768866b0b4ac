/* causes.c - reads the private copies of each process and compares them with their files.
 *
 * /proc/PID/mem is read through the folder that is held open since the process was chosen, so another process that got the
 * same PID is never read. What is read must still be the page of the snapshot: its page-table word is read once more after
 * the bytes, and a page that moved meanwhile (or a process that executed another program) has no known cause.
 *
 * The words that relocation writes are collected once per file, when the first private copy of the file is met.
 */
#include "causes.h"
#include "../ldr.h"
#include "places.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH_PAGES = 64 };

enum places_state { PLACES_UNREAD, PLACES_KNOWN, PLACES_REFUSED };

struct object_places {
    enum places_state state;
    struct places places;
};

struct reading {
    struct collection *collection;
    struct object_places *objects;
    int mem, pagemap;
    bool memory_unreadable; /* this owner's */
    uint64_t memory[BATCH_PAGES * CAUSE_WORDS], file[CAUSE_WORDS], words[BATCH_PAGES];
};

static const struct object_places *places_of(struct reading *reading, uint32_t index) {
    struct object_places *known = &reading->objects[index];
    if (known->state == PLACES_UNREAD) {
        const struct object *object = &reading->collection->snapshot.objects[index];
        bool good = object->file && places_read(object->file, object->file_len, object->path, &known->places);
        known->state = good ? PLACES_KNOWN : PLACES_REFUSED;
        reading->collection->files_unexplained += !good;
    }
    return known;
}

/* The page's bytes in the file; beyond its end they are zero in memory too. */
static const uint64_t *file_page(struct reading *reading, const struct object *object, uint64_t page) {
    uint64_t off = page << PAGE_SHIFT;
    if (off + PAGE_LEN <= object->file_len)
        return (const uint64_t *)(const void *)((const char *)object->file + off);
    memset(reading->file, 0, sizeof reading->file);
    if (off < object->file_len)
        memcpy(reading->file, (const char *)object->file + off, object->file_len - off);
    return reading->file;
}

static enum page_cause cause_of_page(struct reading *reading, const struct run *run, size_t i, const uint64_t *memory) {
    const struct object *object = &reading->collection->snapshot.objects[run->object];
    const struct object_places *known = places_of(reading, run->object);
    if (!object->file)
        return CAUSE_UNKNOWN;
    const uint64_t *file = file_page(reading, object, run->file_page + i);
    /* Bytes of the file that no segment puts here are not the linker's to write. */
    if (run->kind == SEGMENT_OTHER)
        return cause_of(memory, file, PAGE_LEN, NULL, 0);
    if (known->state != PLACES_KNOWN)
        return memcmp(memory, file, PAGE_LEN) == 0 ? CAUSE_IDENTICAL : CAUSE_UNKNOWN;
    uint64_t vaddr = run->addr + ((uint64_t)i << PAGE_SHIFT) - run->bias;
    return cause_of(memory, file, shape_data_len(&object->shape, vaddr), places_at(&known->places, vaddr), run->bias);
}

static bool is_copy(const struct snapshot *snapshot, uint64_t word) {
    return (word & PM_PRESENT) && !(word & PM_FILE) &&
           !(snapshot->method == METHOD_FRAMES && snapshot->zero_frame && (word & PM_FRAME) == snapshot->zero_frame);
}

/* Pages FIRST..FIRST+COUNT of a run, all copies. */
static void read_batch(struct reading *reading, struct owner *owner, const struct run *run, size_t first, size_t count) {
    struct collection *collection = reading->collection;
    uint64_t addr = run->addr + ((uint64_t)first << PAGE_SHIFT);
    ssize_t got = reading->mem < 0 ? -1 : pread(reading->mem, reading->memory, count * PAGE_LEN, (off_t)addr);
    size_t pages = got < 0 ? 0 : (size_t)got >> PAGE_SHIFT;
    if (pages)
        got = pread(reading->pagemap, reading->words, pages * 8, (off_t)(addr >> PAGE_SHIFT) * 8);
    size_t words = pages && got > 0 ? (size_t)got / 8 : 0;
    for (size_t i = 0; i < count; i++) {
        size_t at = run->word + first + i;
        if (i < words && word_place(reading->words[i], collection->snapshot.method) == owner->words[at])
            owner->causes[at] = (uint8_t)cause_of_page(reading, run, first + i, &reading->memory[i * CAUSE_WORDS]);
        else if (reading->mem < 0)
            reading->memory_unreadable = true;
        else
            collection->causes_changed++;
    }
}

static void read_owner(struct reading *reading, struct owner *owner) {
    const struct snapshot *snapshot = &reading->collection->snapshot;
    for (size_t r = 0; r < owner->run_count; r++) {
        const struct run *run = &owner->runs[r];
        for (size_t i = 0, end; i < run->pages; i = end) {
            for (end = i; end < run->pages && end - i < BATCH_PAGES && is_copy(snapshot, owner->words[run->word + end]); end++)
                ;
            if (end > i)
                read_batch(reading, owner, run, i, end - i);
            else
                end++;
        }
    }
}

void find_causes(struct collection *collection) {
    struct snapshot *snapshot = &collection->snapshot;
    struct reading *reading = must_alloc(1, sizeof *reading);
    reading->collection = collection;
    reading->objects = must_alloc(snapshot->object_count, sizeof *reading->objects);
    for (size_t i = 0; i < snapshot->owner_count; i++) {
        struct owner *owner = &snapshot->owners[i];
        owner->causes = must_alloc(owner->word_count, sizeof *owner->causes);
        reading->mem = openat(collection->names[i].proc, "mem", O_RDONLY | O_CLOEXEC);
        reading->pagemap = openat(collection->names[i].proc, "pagemap", O_RDONLY | O_CLOEXEC);
        reading->memory_unreadable = false;
        read_owner(reading, owner);
        collection->memory_unreadable += reading->memory_unreadable;
        if (reading->mem >= 0)
            close(reading->mem);
        if (reading->pagemap >= 0)
            close(reading->pagemap);
    }
    for (size_t i = 0; i < snapshot->object_count; i++)
        places_free(&reading->objects[i].places);
    free(reading->objects);
    free(reading);
}
