/* copies.c - reads the private copies of one object and keeps what tells who wrote them.
 *
 * A copy counts only when its page-table word is still the snapshot's after its bytes were read: so it is the page that the report
 * is about. The memory itself is not kept (a hundred processes have many copies), but for each written word which of its bytes
 * differ, and of the value whether it is the same everywhere: as a number, or as a pointer to the same place.
 */
#include "../ldr.h"
#include "why.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH_PAGES = 64 };

/* An object in one process's memory: addresses between start and end are its. */
struct image { uint64_t start, end, bias; uint32_t object; };

struct images {
    struct image *list; /* ascending */
    size_t count, room;
    size_t last;        /* where the last answer was: neighbours lead to the same object */
};

struct reading {
    const struct collection *collection;
    const struct object *object;
    const struct places *places;
    struct why_memory *memory;
    const struct writers *writers; /* NULL: none of this owner */
    uint32_t owner;
    int mem, pagemap;
    struct images images;
    uint64_t bytes[BATCH_PAGES * CAUSE_WORDS], file[CAUSE_WORDS], words[BATCH_PAGES];
    struct cause_words judged;
};

static bool is_image(enum segment_kind kind) { return kind <= SEGMENT_DATA; }

/* ---- pointers ---- */

static int compare_images(const void *a, const void *b) {
    const struct image *x = a, *y = b;
    return x->start < y->start ? -1 : x->start > y->start;
}

static void images_make(struct images *images, const struct snapshot *snapshot, const struct owner *owner) {
    images->count = images->last = 0;
    for (size_t r = 0; r < owner->run_count; r++) {
        const struct run *run = &owner->runs[r];
        const struct shape *shape = &snapshot->objects[run->object].shape;
        if (!is_image(run->kind) || !shape->known || shape->load_count == 0)
            continue;
        bool known = false;
        for (size_t i = images->count; i-- > 0 && !known; )
            known = images->list[i].object == run->object && images->list[i].bias == run->bias;
        const struct load *last = &shape->loads[shape->load_count - 1];
        uint64_t end;
        if (known || __builtin_add_overflow(last->vaddr, last->memsz, &end))
            continue;
        if (images->count == images->room)
            images->list = must_grow(images->list, images->room = images->room * 2 + 64, sizeof *images->list);
        images->list[images->count++] = (struct image){ shape->loads[0].vaddr + run->bias, end + run->bias, run->bias, run->object };
    }
    if (images->count > 1)
        qsort(images->list, images->count, sizeof *images->list, compare_images);
}

static struct spot spot_of(struct images *images, uint64_t value) {
    const struct spot none = { NO_SPOT, 0 };
    if (images->count == 0)
        return none;
    const struct image *image = &images->list[images->last];
    if (value < image->start || value > image->end) {
        size_t low = 0, high = images->count;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (images->list[middle].start <= value)
                low = middle + 1;
            else
                high = middle;
        }
        if (low == 0)
            return none;
        images->last = low - 1;
        image = &images->list[low - 1];
        if (value > image->end) /* the end itself is a place that programs point to */
            return none;
    }
    return (struct spot){ image->object, value - image->bias };
}

static bool same_spot(struct spot a, struct spot b) { return a.object == b.object && a.vaddr == b.vaddr; }

/* ---- one copy ---- */

static const uint64_t *file_page(struct reading *reading, const struct object *object, uint64_t page) {
    uint64_t off = page << PAGE_SHIFT;
    memset(reading->file, 0, sizeof reading->file);
    if (off < object->file_len)
        memcpy(reading->file, (const char *)object->file + off, object->file_len - off < PAGE_LEN ? object->file_len - off : PAGE_LEN);
    return reading->file;
}

static uint8_t differing_bytes(uint64_t a, uint64_t b) {
    uint8_t mask = 0;
    for (int i = 0; i < 8; i++)
        mask |= (uint8_t)(((a ^ b) >> (8 * i) & 0xff) != 0) << i;
    return mask;
}

static void note_word(struct reading *reading, struct why_page *page, size_t index, uint64_t value, uint64_t linked) {
    if (!page->words)
        page->words = must_alloc(CAUSE_WORDS, sizeof *page->words);
    struct why_word *word = &page->words[index];
    struct spot spot = spot_of(&reading->images, value);
    if (word->copies++ == 0) {
        word->value = value;
        word->linked = linked;
        word->spot = spot;
        word->linked_spot = spot_of(&reading->images, linked);
        word->spots_vary = spot.object == NO_SPOT;
        return;
    }
    word->vary |= differing_bytes(value, word->value);
    word->spots_vary |= !same_spot(spot, word->spot);
}

struct why_page *why_page_at(const struct why_memory *memory, uint64_t vaddr) {
    size_t low = 0, high = memory->page_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memory->pages[middle].vaddr < vaddr)
            low = middle + 1;
        else
            high = middle;
    }
    return low < memory->page_count && memory->pages[low].vaddr == vaddr ? &memory->pages[low] : NULL;
}

/* Who made it private, if this process was watched. */
static void find_writer(struct reading *reading, uint64_t addr, struct why_copy *copy) {
    if (!reading->writers)
        return;
    const struct fault *fault = writers_find(reading->writers, addr);
    if (!fault)
        copy->writer_kind = reading->writers->seen == SEEN_USER_FAULTS ? '?' : '-';
    else
        copy->writer_kind = fault->kind == 'f' && fault->instruction >> 63 ? 'K' : fault->kind;
    copy->writer = fault ? spot_of(&reading->images, fault->instruction) : (struct spot){ NO_SPOT, 0 };
}

static void read_copy(struct reading *reading, const struct run *run, size_t index, const uint64_t *bytes, struct why_copy *copy,
                      struct why_page *page) {
    struct cause_words *judged = &reading->judged;
    /* The linker's cache has pages relocated already: what it holds is what the linker left, and whatever differs was written. */
    const struct object *pack = run->pack ? &reading->collection->snapshot.objects[run->pack - 1] : NULL;
    if (pack && !pack->file)
        return;
    const uint64_t *file = pack ? file_page(reading, pack, run->pack_page + index) : file_page(reading, reading->object, run->file_page + index);
    if (reading->memory->refused) { /* nothing is known of the words */
        copy->cause = memcmp(bytes, file, PAGE_LEN) == 0 ? CAUSE_IDENTICAL : CAUSE_UNKNOWN;
        return;
    }
    const struct place_page *places = pack ? NULL : places_at(reading->places, page->vaddr);
    copy->cause = (uint8_t)cause_words(bytes, file, pack ? PAGE_LEN : shape_data_len(&reading->object->shape, page->vaddr), places,
                                       run->bias, judged);
    memcpy(copy->written, judged->written, sizeof copy->written);
    memcpy(copy->relocated, judged->relocated, sizeof copy->relocated);
    size_t count = 0, at = 0;
    for (size_t group = 0; group < CAUSE_WORDS / 64; group++)
        count += (size_t)__builtin_popcountll(judged->written[group]);
    if (count)
        copy->masks = must_alloc(count, 1);
    for (size_t group = 0; group < CAUSE_WORDS / 64; group++) {
        for (uint64_t left = judged->written[group]; left; left &= left - 1) {
            size_t word = group * 64 + (size_t)__builtin_ctzll(left);
            copy->masks[at++] = differing_bytes(bytes[word], judged->linked[word]);
            note_word(reading, page, word, bytes[word], judged->linked[word]);
        }
        /* where a symbol's relocation leads; a relative one leads where the file says */
        uint64_t symbolic = places ? places->relocated[group] & ~places->relative[group] & judged->relocated[group] : 0;
        for (uint64_t left = symbolic & ~judged->written[group]; left; left &= left - 1) {
            size_t word = group * 64 + (size_t)__builtin_ctzll(left);
            note_word(reading, page, word, bytes[word], bytes[word]);
        }
    }
}

static bool is_copy(const struct snapshot *snapshot, uint64_t word) {
    return (word & PM_PRESENT) && !(word & PM_FILE) &&
           !(snapshot->method == METHOD_FRAMES && snapshot->zero_frame && (word & PM_FRAME) == snapshot->zero_frame);
}

static uint64_t word_of(const struct snapshot *snapshot, const struct owner *owner, const struct run *run, size_t index) {
    return word_get(owner, snapshot->method, run->word + index);
}

/* Pages FIRST..FIRST+COUNT of a run, all copies. */
static void read_batch(struct reading *reading, const struct owner *owner, const struct run *run, size_t first, size_t count) {
    const struct snapshot *snapshot = &reading->collection->snapshot;
    enum method method = snapshot->method;
    uint64_t addr = run->addr + ((uint64_t)first << PAGE_SHIFT);
    ssize_t got = reading->mem < 0 ? -1 : pread(reading->mem, reading->bytes, count * PAGE_LEN, (off_t)addr);
    size_t pages = got < 0 ? 0 : (size_t)got >> PAGE_SHIFT;
    got = pages ? pread(reading->pagemap, reading->words, pages * 8, (off_t)(addr >> PAGE_SHIFT) * 8) : 0;
    size_t words = got < 0 ? 0 : (size_t)got / 8;
    for (size_t i = 0; i < count; i++) {
        uint64_t word = word_of(snapshot, owner, run, first + i);
        struct why_page *page = why_page_at(reading->memory, addr + ((uint64_t)i << PAGE_SHIFT) - run->bias);
        if (!page)
            continue; /* not asked for */
        page->copies = must_grow(page->copies, page->copy_count + 1, sizeof *page->copies);
        struct why_copy *copy = &page->copies[page->copy_count++];
        *copy = (struct why_copy){ .owner = reading->owner, .cause = CAUSE_UNKNOWN,
                                   .frame = method == METHOD_FRAMES ? word & PM_FRAME : 0 };
        find_writer(reading, addr + ((uint64_t)i << PAGE_SHIFT), copy);
        if (i < words && word_place(reading->words[i], method) == word)
            read_copy(reading, run, first + i, &reading->bytes[i * CAUSE_WORDS], copy, page);
        else
            reading->memory->changed += reading->mem >= 0;
    }
}

/* ---- all of them ---- */

static int compare_addresses(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* First the addresses of copies and of all mapped pages, so that each page is made once. */
static void find_pages(const struct snapshot *snapshot, struct why_memory *memory, bool (*wanted)(const void *, uint64_t),
                       const void *context) {
    uint64_t *copies = NULL;
    size_t copy_count = 0, copy_room = 0, mapped_room = 0;
    for (size_t o = 0; o < snapshot->owner_count; o++) {
        const struct owner *owner = &snapshot->owners[o];
        bool has = false;
        for (size_t r = 0; r < owner->run_count; r++) {
            const struct run *run = &owner->runs[r];
            if (run->object != memory->object || !is_image(run->kind))
                continue;
            has = true;
            for (size_t i = 0; i < run->pages; i++) {
                uint64_t word = word_of(snapshot, owner, run, i), vaddr = run->addr + ((uint64_t)i << PAGE_SHIFT) - run->bias;
                if (!(word & PM_PRESENT) || !wanted(context, vaddr))
                    continue;
                if (memory->mapped_count == mapped_room)
                    memory->mapped = must_grow(memory->mapped, mapped_room = mapped_room * 2 + 1024, sizeof *memory->mapped);
                memory->mapped[memory->mapped_count++] = vaddr;
                if (!is_copy(snapshot, word))
                    continue;
                if (copy_count == copy_room)
                    copies = must_grow(copies, copy_room = copy_room * 2 + 1024, sizeof *copies);
                copies[copy_count++] = vaddr;
            }
        }
        memory->processes += has;
    }
    if (memory->mapped_count > 1)
        qsort(memory->mapped, memory->mapped_count, sizeof *memory->mapped, compare_addresses);
    if (copy_count > 1)
        qsort(copies, copy_count, sizeof *copies, compare_addresses);
    memory->pages = must_alloc(copy_count, sizeof *memory->pages);
    for (size_t i = 0; i < copy_count; i++)
        if (i == 0 || copies[i] != copies[i - 1])
            memory->pages[memory->page_count++].vaddr = copies[i];
    free(copies);
    for (size_t i = 0, p = 0; i < memory->mapped_count; i++) {
        while (p < memory->page_count && memory->pages[p].vaddr < memory->mapped[i])
            p++;
        if (p < memory->page_count && memory->pages[p].vaddr == memory->mapped[i])
            memory->pages[p].mapped++;
    }
}

static int compare_frames(const void *a, const void *b) {
    const struct why_copy *x = *(struct why_copy *const *)a, *y = *(struct why_copy *const *)b;
    if (x->frame != y->frame)
        return x->frame < y->frame ? -1 : 1;
    return x->owner < y->owner ? -1 : x->owner > y->owner;
}

/* Frames are what is spent: a copy that fork left shared is one for all who have it. */
static void count_frames(struct why_page *page) {
    struct why_copy **sorted = must_alloc(page->copy_count, sizeof *sorted);
    for (size_t i = 0; i < page->copy_count; i++) {
        sorted[i] = &page->copies[i];
        page->processes += i == 0 || page->copies[i - 1].owner != page->copies[i].owner;
    }
    if (page->copy_count > 1)
        qsort(sorted, page->copy_count, sizeof *sorted, compare_frames);
    for (size_t i = 0, end; i < page->copy_count; i = end) {
        for (end = i + 1; end < page->copy_count && sorted[i]->frame && sorted[end]->frame == sorted[i]->frame; end++)
            ;
        bool shared = end - i > 1 && sorted[i]->owner != sorted[end - 1]->owner;
        for (size_t k = i; k < end; k++)
            sorted[k]->shared = shared;
        sorted[i]->counts = true;
        page->frames++;
        page->causes[sorted[i]->cause]++;
    }
    free(sorted);
}

void copies_read(const struct collection *collection, uint32_t object, const struct places *places,
                 bool (*wanted)(const void *context, uint64_t page), const void *context, const struct writers *writers,
                 struct why_memory *memory) {
    const struct snapshot *snapshot = &collection->snapshot;
    struct reading *reading = must_alloc(1, sizeof *reading);
    *memory = (struct why_memory){ .object = object, .refused = places == NULL };
    *reading = (struct reading){ .collection = collection, .object = &snapshot->objects[object], .places = places, .memory = memory };
    find_pages(snapshot, memory, wanted, context);
    for (size_t o = 0; o < snapshot->owner_count && reading->object->file; o++) {
        const struct owner *owner = &snapshot->owners[o];
        bool opened = false;
        reading->owner = (uint32_t)o;
        reading->writers = NULL;
        for (size_t i = 0; writers && i < collection->names[o].pid_count; i++)
            if (collection->names[o].pids[i] == writers->pid)
                reading->writers = writers;
        for (size_t r = 0; r < owner->run_count; r++) {
            const struct run *run = &owner->runs[r];
            if (run->object != object || !is_image(run->kind))
                continue;
            if (!opened) {
                opened = true;
                images_make(&reading->images, snapshot, owner);
                reading->mem = openat(collection->names[o].proc, "mem", O_RDONLY | O_CLOEXEC);
                reading->pagemap = openat(collection->names[o].proc, "pagemap", O_RDONLY | O_CLOEXEC);
                memory->unreadable += reading->mem < 0 || reading->pagemap < 0;
            }
            for (size_t i = 0, end; i < run->pages; i = end) {
                for (end = i; end < run->pages && end - i < BATCH_PAGES && is_copy(snapshot, word_of(snapshot, owner, run, end)); end++)
                    ;
                if (end > i)
                    read_batch(reading, owner, run, i, end - i);
                else
                    end++;
            }
        }
        if (opened && reading->mem >= 0)
            close(reading->mem);
        if (opened && reading->pagemap >= 0)
            close(reading->pagemap);
    }
    for (size_t i = 0; i < memory->page_count; i++)
        count_frames(&memory->pages[i]);
    free(reading->images.list);
    free(reading);
}

void copies_free(struct why_memory *memory) {
    for (size_t i = 0; i < memory->page_count; i++) {
        for (size_t k = 0; k < memory->pages[i].copy_count; k++)
            free(memory->pages[i].copies[k].masks);
        free(memory->pages[i].copies);
        free(memory->pages[i].words);
    }
    free(memory->pages);
    free(memory->mapped);
    *memory = (struct why_memory){ 0 };
}
