/* reading.c - maps to vmas, vmas to runs of one segment each, runs to words.
 *
 * A process is read with one open of pagemap, before maps: an exec between the two then shows as a difference in the next
 * reading. Words are read over those of the reading before, so that comparing costs no memory.
 *
 * Large or anonymous mappings are asked first where they have pages (regions.c); of the others every word is read, which is
 * cheaper than asking.
 */
#include "reading.h"
#include "../ldr.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    CHUNK_WORDS = 8192,  /* 64 KiB of words: 32 MiB of address space per read */
    SPARSE_PAGES = 4096, /* mappings from this size on may be mostly empty */
    HUGE_PAGES = 512,
    BSS_MAX = 8,         /* zero-filled ends of segments that one image may have: link editors make one or two */
};

void process_free(struct process *process) {
    free(process->vmas);
    free(process->owner.runs);
    words_free(&process->owner);
    free(process->smaps);
    process->vmas = NULL;
    process->smaps = NULL;
    process->owner = (struct owner){ 0 };
}

void reader_free(struct reader *reader) {
    text_free(&reader->text);
    free(reader->vmas);
    for (size_t i = 0; i < reader->regions_room; i++)
        regions_free(&reader->regions[i]);
    free(reader->regions);
    free(reader->runs);
    free(reader->chunk);
    *reader = (struct reader){ 0 };
}

/* ---- maps ---- */

static uint64_t hash_of(const struct text *text) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325), word;
    size_t i = 0;
    for (; i + 8 <= text->len; i += 8) {
        memcpy(&word, text->bytes + i, 8);
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    for (; i < text->len; i++)
        hash = (hash ^ (unsigned char)text->bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static struct vma *add_vma(struct reader *reader, size_t *count) {
    if (*count == reader->vma_room)
        reader->vmas = must_grow(reader->vmas, reader->vma_room = reader->vma_room * 2 + 256, sizeof *reader->vmas);
    return &reader->vmas[(*count)++];
}

static enum segment_kind kind_of_object(enum object_kind kind) {
    switch (kind) {
    case OBJECT_ELF: return SEGMENT_OTHER;
    case OBJECT_IMAGES: return SEGMENT_IMAGES;
    case OBJECT_FILE: return SEGMENT_FILE;
    case OBJECT_SHARED: return SEGMENT_SHARED;
    case OBJECT_ANONYMOUS: return SEGMENT_ANONYMOUS;
    case OBJECT_VDSO: return SEGMENT_VDSO;
    case OBJECT_HUGETLB: return SEGMENT_HUGETLB;
    case OBJECT_DEVICE: return SEGMENT_DEVICE;
    }
    return SEGMENT_OTHER;
}

/* Memory without a file, by the kernel's name for it; SEGMENT_KINDS for what is no memory at all (the vDSO's data, the vsyscall page). */
static enum segment_kind kind_of_memory(const char *name) {
    if (strcmp(name, "[heap]") == 0)
        return SEGMENT_HEAP;
    if (strcmp(name, "[stack]") == 0)
        return SEGMENT_STACK;
    if (strcmp(name, "[vdso]") == 0 || strcmp(name, "[uprobes]") == 0)
        return SEGMENT_VDSO;
    if (strncmp(name, "[vvar", 5) == 0 || strcmp(name, "[vsyscall]") == 0)
        return SEGMENT_KINDS;
    return SEGMENT_ANONYMOUS;
}

/* In SCOPE_ELF file is the index of the file until all lines are seen. */
size_t maps_parse(struct readings *readings, struct reader *reader, const struct process *process) {
    struct files *files = &readings->files;
    bool all = readings->scope == SCOPE_ALL;
    size_t count = 0, kept = 0;
    struct map_line line;
    for (char *at = reader->text.bytes; map_next(&at, &line); ) {
        struct vma vma = { .start = line.start, .end = line.end, .access = (uint16_t)line.access, .kind = SEGMENT_KINDS };
        if (vma.start >= vma.end)
            continue;
        if (line.ino && (all || line.path[0] == '/')) {
            vma.off = line.off;
            vma.object = files_find(files, process->target->proc, &line);
            if (line.access & ACCESS_EXEC)
                files_executable(files, vma.object);
        } else if (all) {
            vma.kind = (uint16_t)kind_of_memory(line.path);
            if (vma.kind == SEGMENT_KINDS)
                continue;
        } else {
            continue;
        }
        *add_vma(reader, &count) = vma;
    }
    for (size_t i = 0; i < count; i++) {
        struct vma *vma = &reader->vmas[i];
        if (vma->kind != SEGMENT_KINDS) {
            vma->object = files_memory(files, vma->kind == SEGMENT_VDSO ? OBJECT_VDSO : OBJECT_ANONYMOUS);
        } else if (all || files->list[vma->object].kind == FILE_ELF || files->list[vma->object].kind == FILE_IMAGES) {
            vma->object = files_object(files, vma->object);
            vma->kind = (uint16_t)kind_of_object(files->objects[vma->object].kind);
        } else {
            continue;
        }
        reader->vmas[kept++] = *vma;
    }
    return kept;
}

/* ---- runs ---- */

struct image { uint32_t object; uint64_t bias; };
struct span { uint64_t start, end; };

/* What cutting one process needs to remember from mapping to mapping. */
struct cutter {
    struct reader *reader;
    const struct object *objects;
    struct image *images;
    size_t image_count;
    uint32_t *slots;         /* open addressing by object and bias: index into images + 1 */
    size_t slot_count;
    struct image last;       /* the image of the mapping before, and where its .bss is */
    struct span bss[BSS_MAX];
    size_t bss_count;
};

static void add_run(struct reader *reader, struct run run) {
    if (reader->run_count == reader->run_room)
        reader->runs = must_grow(reader->runs, reader->run_room = reader->run_room * 2 + 256, sizeof *reader->runs);
    reader->runs[reader->run_count++] = run;
}

/* Whole pages that a segment has beyond its file data; where the data end in the page, the page is the file's. */
static void find_bss(struct cutter *cutter) {
    const struct shape *shape = &cutter->objects[cutter->last.object].shape;
    cutter->bss_count = 0;
    for (size_t i = 0; i < shape->load_count && cutter->bss_count < BSS_MAX; i++) {
        const struct load *load = &shape->loads[i];
        uint64_t from, to;
        if (load->memsz <= load->filesz || __builtin_add_overflow(load->vaddr, load->filesz, &from) ||
            __builtin_add_overflow(load->vaddr, load->memsz, &to) || to > UINT64_MAX - PAGE_LEN)
            continue;
        struct span span = { ((from + PAGE_LEN - 1) & -PAGE_LEN) + cutter->last.bias, ((to + PAGE_LEN - 1) & -PAGE_LEN) + cutter->last.bias };
        if (span.start < span.end)
            cutter->bss[cutter->bss_count++] = span;
    }
}

static void enter_image(struct cutter *cutter, uint32_t object, uint64_t bias) {
    if (cutter->last.object == object && cutter->last.bias == bias)
        return;
    cutter->last = (struct image){ object, bias };
    find_bss(cutter);
}

static void cut_elf(struct cutter *cutter, const struct vma *vma, uint64_t bias, struct region region) {
    const struct shape *shape = &cutter->objects[vma->object].shape;
    for (uint64_t at = region.start, len; at < region.end; at += len) {
        uint64_t off = vma->off + (at - vma->start);
        enum segment_kind kind = kind_by_access(vma->access);
        len = region.end - at;
        if (shape->known)
            kind = shape_kind_at(shape, bias, at, off, len, &len);
        add_run(cutter->reader, (struct run){ .addr = at, .file_page = off >> PAGE_SHIFT, .pages = len >> PAGE_SHIFT, .bias = bias,
                                              .object = vma->object, .kind = kind, .access = (uint8_t)vma->access });
    }
}

/* Pages of the cache are those of the object that was mapped right before. */
static void cut_images(struct cutter *cutter, const struct vma *vma, struct region region) {
    const struct object *object = cutter->last.object == NO_OBJECT ? NULL : &cutter->objects[cutter->last.object];
    for (uint64_t at = region.start, len; at < region.end; at += len) {
        struct run run = { .addr = at, .object = vma->object, .pack = vma->object + 1, .access = (uint8_t)vma->access,
                           .pack_page = (vma->off + (at - vma->start)) >> PAGE_SHIFT };
        len = region.end - at;
        run.kind = SEGMENT_KINDS;
        if (object && object->kind == OBJECT_ELF && object->shape.known)
            run.kind = shape_image_at(&object->shape, cutter->last.bias, at, len, &len, &run.file_page);
        if (run.kind == SEGMENT_KINDS) {
            run.kind = SEGMENT_IMAGES;
            run.file_page = run.pack_page;
        } else {
            run.object = cutter->last.object;
            run.bias = cutter->last.bias;
        }
        run.pages = len >> PAGE_SHIFT;
        add_run(cutter->reader, run);
    }
}

static void cut_memory(struct cutter *cutter, const struct vma *vma, struct region region) {
    uint64_t at = region.start;
    while (at < region.end) {
        uint64_t end = region.end;
        const struct span *inside = NULL;
        for (size_t i = 0; i < cutter->bss_count && vma->kind != SEGMENT_STACK; i++) {
            const struct span *bss = &cutter->bss[i];
            if (at >= bss->start && at < bss->end)
                inside = bss;
            else if (bss->start > at && bss->start < end)
                end = bss->start;
        }
        if (inside && inside->end < end)
            end = inside->end;
        struct run run = { .addr = at, .file_page = at >> PAGE_SHIFT, .pages = (end - at) >> PAGE_SHIFT, .object = vma->object,
                           .kind = (enum segment_kind)vma->kind, .access = (uint8_t)vma->access, .huge = region.huge, .zero = region.zero };
        if (inside) {
            run.bias = cutter->last.bias;
            run.file_page = (at - run.bias) >> PAGE_SHIFT;
            run.object = cutter->last.object;
            run.kind = SEGMENT_BSS;
        }
        add_run(cutter->reader, run);
        at = end;
    }
}

/* Where the image is, or would be, in the table. */
static size_t image_slot(const struct cutter *cutter, uint32_t object, uint64_t bias) {
    size_t at = ((bias >> PAGE_SHIFT) * UINT64_C(0x9e3779b97f4a7c15) + object * UINT64_C(0xc2b2ae3d27d4eb4f)) >> 20 & (cutter->slot_count - 1);
    while (cutter->slots[at] && (cutter->images[cutter->slots[at] - 1].object != object || cutter->images[cutter->slots[at] - 1].bias != bias))
        at = (at + 1) & (cutter->slot_count - 1);
    return at;
}

/* The image this vma belongs to: the latest one of the object that explains it, else a new one. A file may be mapped at tens of
 * thousands of places: each segment that has the vma's page of the file names one bias, and that is looked up. */
static uint64_t find_bias(struct cutter *cutter, const struct vma *vma) {
    const struct shape *shape = &cutter->objects[vma->object].shape;
    const struct image *newest = cutter->image_count ? &cutter->images[cutter->image_count - 1] : NULL;
    uint64_t bias = 0;
    if (newest && newest->object == vma->object && shape_explains(shape, newest->bias, vma))
        return newest->bias;
    uint32_t latest = 0;
    for (size_t i = 0; i < shape->load_count; i++)
        if (shape_bias_by(shape, i, vma, &bias)) {
            uint32_t found = cutter->slots[image_slot(cutter, vma->object, bias)];
            latest = found > latest ? found : latest;
        }
    if (latest)
        return cutter->images[latest - 1].bias;
    if (!shape_find_bias(shape, vma, &bias))
        return 0;
    cutter->images[cutter->image_count++] = (struct image){ vma->object, bias };
    cutter->slots[image_slot(cutter, vma->object, bias)] = (uint32_t)cutter->image_count;
    return bias;
}

/* Cuts the vmas into reader->runs; reader->regions are those of each vma. With the lock held, for the objects. */
static void make_runs(struct readings *readings, struct reader *reader, const struct process *process) {
    struct cutter cutter = { .reader = reader, .objects = readings->files.objects, .last.object = NO_OBJECT,
                             .images = must_alloc(process->vma_count, sizeof *cutter.images), .slot_count = 64 };
    while (cutter.slot_count < 2 * process->vma_count)
        cutter.slot_count *= 2;
    cutter.slots = must_alloc(cutter.slot_count, sizeof *cutter.slots);
    reader->run_count = 0;
    for (size_t i = 0; i < process->vma_count; i++) {
        const struct vma *vma = &process->vmas[i];
        bool elf = cutter.objects[vma->object].kind == OBJECT_ELF;
        uint64_t bias = 0;
        if (elf && cutter.objects[vma->object].shape.known) {
            bias = find_bias(&cutter, vma);
            enter_image(&cutter, vma->object, bias);
        }
        for (size_t r = 0; r < reader->regions[i].count; r++) {
            struct region region = reader->regions[i].list[r];
            if (elf)
                cut_elf(&cutter, vma, bias, region);
            else if (cutter.objects[vma->object].kind == OBJECT_IMAGES)
                cut_images(&cutter, vma, region);
            else if (vma->kind == SEGMENT_HEAP || vma->kind == SEGMENT_STACK || vma->kind == SEGMENT_ANONYMOUS)
                cut_memory(&cutter, vma, region);
            else
                add_run(reader, (struct run){ .addr = region.start, .file_page = (vma->off + (region.start - vma->start)) >> PAGE_SHIFT,
                                              .pages = (region.end - region.start) >> PAGE_SHIFT, .object = vma->object,
                                              .kind = (enum segment_kind)vma->kind, .access = (uint8_t)vma->access, .huge = region.huge });
        }
    }
    free(cutter.slots);
    free(cutter.images);
    size_t word = 0;
    for (size_t i = 0; i < reader->run_count; i++) {
        reader->runs[i].word = word;
        word += reader->runs[i].pages;
    }
}

static bool runs_equal(const struct run *a, const struct run *b) {
    return a->addr == b->addr && a->file_page == b->file_page && a->pages == b->pages && a->bias == b->bias && a->object == b->object && a->pack == b->pack && a->pack_page == b->pack_page &&
           a->kind == b->kind && a->access == b->access && a->huge == b->huge && a->zero == b->zero;
}

/* Pages that only one of two lists of runs covers; at least 1, for what differs otherwise. */
static uint64_t pages_apart(const struct run *a, size_t a_count, const struct run *b, size_t b_count) {
    uint64_t apart = 0, at = 0;
    size_t i = 0, j = 0;
    while (i < a_count || j < b_count) {
        uint64_t a_from = i < a_count ? a[i].addr : UINT64_MAX, a_to = i < a_count ? a_from + (a[i].pages << PAGE_SHIFT) : UINT64_MAX;
        uint64_t b_from = j < b_count ? b[j].addr : UINT64_MAX, b_to = j < b_count ? b_from + (b[j].pages << PAGE_SHIFT) : UINT64_MAX;
        a_from = a_from < at ? at : a_from;
        b_from = b_from < at ? at : b_from;
        uint64_t from = a_from < b_from ? a_from : b_from, to;
        bool in_a = a_from == from, in_b = b_from == from;
        if (in_a && in_b)
            to = a_to < b_to ? a_to : b_to;
        else
            to = in_a ? (a_to < b_from ? a_to : b_from) : (b_to < a_from ? b_to : a_from);
        if (in_a != in_b)
            apart += (to - from) >> PAGE_SHIFT;
        at = to;
        i += in_a && to == a_to;
        j += in_b && to == b_to;
    }
    return apart ? apart : 1;
}

/* ---- words ---- */

static bool needs_regions(const struct readings *readings, const struct vma *vma) {
    uint64_t pages = (vma->end - vma->start) >> PAGE_SHIFT;
    if (pages >= SPARSE_PAGES)
        return true;
    if (vma->kind != SEGMENT_HEAP && vma->kind != SEGMENT_STACK && vma->kind != SEGMENT_ANONYMOUS)
        return false;
    /* where huge pages fit, and where only this tells the zero page from others */
    return pages >= HUGE_PAGES || readings->kernel->method == METHOD_IDENTITY;
}

static int find_regions(struct readings *readings, struct reader *reader, const struct process *process, int pagemap) {
    if (process->vma_count > reader->regions_room) {
        size_t room = process->vma_count * 2;
        reader->regions = must_grow(reader->regions, room, sizeof *reader->regions);
        memset(reader->regions + reader->regions_room, 0, (room - reader->regions_room) * sizeof *reader->regions);
        reader->regions_room = room;
    }
    for (size_t i = 0; i < process->vma_count; i++) {
        const struct vma *vma = &process->vmas[i];
        struct regions *regions = &reader->regions[i];
        if (needs_regions(readings, vma)) {
            int error = regions_find(pagemap, vma->start, vma->end, regions);
            if (error)
                return error;
            continue;
        }
        if (!regions->room)
            regions->list = must_grow(NULL, regions->room = 1, sizeof *regions->list);
        regions->list[0] = (struct region){ .start = vma->start, .end = vma->end };
        regions->count = 1;
    }
    return 0;
}

static int read_words(struct readings *readings, struct reader *reader, struct process *process, int pagemap) {
    struct owner *owner = &process->owner;
    enum method method = readings->kernel->method;
    if (!reader->chunk)
        reader->chunk = must_alloc(CHUNK_WORDS, sizeof *reader->chunk);
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
            ssize_t got = pread(pagemap, reader->chunk, want * 8, (off_t)(addr >> PAGE_SHIFT) * 8);
            if (got < 0)
                return -errno;
            if (got < 8)
                return -ESRCH; /* the address space is gone */
            size_t words = (size_t)got / 8;
            for (size_t i = 0; i < words; i++)
                process->changed += word_set(owner, method, word + i, word_place(reader->chunk[i], method));
            word += words;
            addr += (uint64_t)words << PAGE_SHIFT;
        }
    }
    return 0;
}

/* Takes over the runs just cut, if they are others than before. */
static void keep_runs(struct reader *reader, struct process *process) {
    struct owner *owner = &process->owner;
    bool same = owner->run_count == reader->run_count && process->read;
    for (size_t i = 0; i < reader->run_count && same; i++)
        same = runs_equal(&reader->runs[i], &owner->runs[i]);
    if (same)
        return;
    process->changed += pages_apart(owner->runs, owner->run_count, reader->runs, reader->run_count);
    words_free(owner);
    owner->runs = must_grow(owner->runs, reader->run_count, sizeof *owner->runs);
    memcpy(owner->runs, reader->runs, reader->run_count * sizeof *owner->runs);
    owner->run_count = reader->run_count;
    size_t words = 0;
    for (size_t i = 0; i < owner->run_count; i++)
        words += owner->runs[i].pages;
    words_make(owner, words);
}

static int read_process(struct readings *readings, struct reader *reader, struct process *process, int pagemap) {
    int error = proc_read(process->target->proc, "maps", &reader->text);
    if (error || reader->text.len == 0)
        return error ? error : -ESRCH;
    uint64_t hash = hash_of(&reader->text);
    pthread_mutex_lock(&readings->lock);
    if (!process->read || hash != process->maps_hash || process->maps_turned != readings->files.turned_out) {
        size_t count = maps_parse(readings, reader, process);
        process->changed += process->read && (count != process->vma_count || memcmp(reader->vmas, process->vmas, count * sizeof *process->vmas) != 0);
        process->vmas = must_grow(process->vmas, count, sizeof *process->vmas);
        memcpy(process->vmas, reader->vmas, count * sizeof *process->vmas);
        process->vma_count = count;
        process->maps_hash = hash;
        process->maps_turned = readings->files.turned_out;
    }
    pthread_mutex_unlock(&readings->lock);
    error = find_regions(readings, reader, process, pagemap);
    if (error)
        return error;
    pthread_mutex_lock(&readings->lock);
    make_runs(readings, reader, process);
    pthread_mutex_unlock(&readings->lock);
    keep_runs(reader, process);
    return read_words(readings, reader, process, pagemap);
}

enum process_state process_state_of(int error) {
    if (!error)
        return PROCESS_OK;
    return error == -EACCES || error == -EPERM ? PROCESS_UNREADABLE : proc_error_is_end(error) ? PROCESS_GONE : PROCESS_REFUSED;
}

void reading_take(struct readings *readings, struct reader *reader, struct process *process) {
    process->changed = 0;
    int pagemap = openat(process->target->proc, "pagemap", O_RDONLY | O_CLOEXEC);
    int error = pagemap < 0 ? -errno : read_process(readings, reader, process, pagemap);
    if (pagemap < 0 && error == -ENOENT && faccessat(process->target->proc, "maps", F_OK, 0) == 0)
        error = -EACCES; /* a system that has no pagemap at all; a process that is gone has no maps either */
    if (pagemap >= 0)
        close(pagemap);
    process->read = true;
    process->error = error;
    process->state = process_state_of(error);
}
