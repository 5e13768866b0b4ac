/* space.c - the mappings of a stopped thread's process and the ELF objects in them.
 *
 * An object is where a mapping shows the first page of its file. Where it ends only the linker's own reader knows (ldr/image): pages that
 * the cache shares are mapped from another file, and .bss from none. */
#include "crash.h"
#include "../ldr.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

size_t space_read(const struct space *space, u64 addr, void *to, size_t len) {
    size_t done = 0;
    while (done < len) {
        ssize_t got = pread(space->mem, (char *)to + done, len - done, (off_t)(addr + done));
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    return done;
}

bool space_word(const struct space *space, u64 addr, u64 *word) { return space_read(space, addr, word, sizeof *word) == sizeof *word; }

const struct crash_map *space_map(const struct space *space, u64 addr) {
    size_t low = 0, high = space->map_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (space->maps[middle].end <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low < space->map_count && space->maps[low].start <= addr ? &space->maps[low] : NULL;
}

const struct crash_map *space_above(const struct space *space, u64 addr) {
    for (size_t i = 0; i < space->map_count; i++)
        if (space->maps[i].start > addr)
            return &space->maps[i];
    return NULL;
}

const struct crash_map *space_below(const struct space *space, u64 addr) {
    for (size_t i = space->map_count; i-- > 0;)
        if (space->maps[i].end <= addr)
            return &space->maps[i];
    return NULL;
}

const struct crash_map *space_left(const struct space *space, u64 sp, u64 fs_base) {
    enum { FRAME_MAX = 1 << 30 };     /* farther away it is no stack pointer any more */
    const struct crash_map *there = space_map(space, sp), *stack = NULL;
    /* The kernel names the first thread's; the C library allocates another's together with the thread block. */
    if (space->thread != space->pid)
        stack = space_map(space, fs_base);
    for (size_t i = 0; i < space->map_count && space->thread == space->pid; i++)
        if (strcmp(space->maps[i].path, "[stack]") == 0)
            stack = &space->maps[i];
    return stack && sp < stack->start && stack->start - sp <= FRAME_MAX && !(there && there->read) ? stack : NULL;
}

const struct crash_object *space_object(const struct space *space, u64 addr) {
    for (size_t i = 0; i < space->object_count; i++)
        if (addr >= space->objects[i].start && addr < space->objects[i].end)
            return &space->objects[i];
    return NULL;
}

static struct crash_object *add_object(struct space *space) {
    space->objects = must_grow(space->objects, space->object_count + 1, sizeof *space->objects);
    struct crash_object *object = &space->objects[space->object_count++];
    *object = (struct crash_object){ 0 };
    return object;
}

/* The kernel's object is in no file; it has its section headers in memory. */
static void add_vdso(struct space *space, const struct crash_map *map) {
    u64 len = map->end - map->start;
    if (len > 1 << 20)
        return;
    void *bytes = must_alloc(1, len);
    Elf64_Ehdr *head = bytes;
    if (space_read(space, map->start, bytes, len) == len && memcmp(head->e_ident, ELFMAG, SELFMAG) == 0)
        *add_object(space) = (struct crash_object){ .path = map->path, .bytes = bytes, .len = len, .bias = map->start, .start = map->start, .end = map->end };
    else
        free(bytes);
}

static bool begins(const struct image *image, const struct crash_map *map) {
    return image->plan.seg_count && align_down(image->plan.seg[0].off, LDR_PAGE) == map->off;
}

static void add_file(struct space *space, const struct crash_map *map) {
    const struct library_file *file;
    size_t len = strlen(map->path);
    struct stat st;
    bool gone = len > 10 && strcmp(map->path + len - 10, " (deleted)") == 0;
    if (space_object(space, map->start) || gone || stat(map->path, &st) != 0 || st.st_ino != map->ino || catalog_file(space->catalog, map->path, &file) != 0 ||
        file->ino != map->ino || file->len < sizeof(Elf64_Ehdr) || !begins(&file->image, map))
        return;
    const struct plan *plan = &file->image.plan;
    u64 bias = map->start - plan->lo_page;
    *add_object(space) = (struct crash_object){ .path = map->path, .file = file, .bytes = file->bytes, .len = file->len, .bias = bias, .start = map->start,
                                                .end = bias + plan->hi_page };
}

/* Where in memory the linker keeps them: its note tells how far behind itself. 0: any other object. */
static u64 unloaded_at(const struct crash_object *object) {
    const struct library_file *file = object->file;
    u32 len = 0;
    const u8 *note = file ? image_note(&file->image, &file->view, "ldr", 2, &len) : NULL;
    for (u32 i = 0; note && len == 8 && i < file->image.plan.seg_count; i++) {
        const struct segment *seg = &file->image.plan.seg[i];
        u64 off = (u64)(note - file->bytes) - seg->off, distance;
        memcpy(&distance, note, sizeof distance);
        if (off < seg->file_end - seg->vaddr)
            return object->bias + seg->vaddr + off + distance;
    }
    return 0;
}

/* What ld-ldr.so keeps of unloaded objects; no other linker does. */
static void read_unloaded(struct space *space) {
    struct unloaded *unloaded = &space->unloaded;
    for (size_t i = 0; i < space->object_count && !unloaded->version; i++) {
        u64 at = unloaded_at(&space->objects[i]);
        if (at && (space_read(space, at, unloaded, sizeof *unloaded) != sizeof *unloaded || unloaded->version != UNLOADED_VERSION ||
                   unloaded->room != UNLOADED_MAX))
            *unloaded = (struct unloaded){ 0 };
    }
    for (size_t i = 0; i < UNLOADED_MAX; i++)
        space->unloaded.object[i].path[UNLOADED_PATH - 1] = '\0';
}

static int compare_objects(const void *a, const void *b) {
    const struct crash_object *x = a, *y = b;
    return x->start < y->start ? -1 : x->start > y->start;
}

bool space_open(struct space *space, pid_t pid, pid_t thread) {
    char name[64];
    snprintf(name, sizeof name, "/proc/%d/mem", (int)thread);
    *space = (struct space){ .pid = pid, .thread = thread, .mem = open(name, O_RDONLY | O_CLOEXEC), .catalog = catalog_open(NULL) };
    space->maps = maps_read(thread, &space->map_count);
    for (size_t i = 0; i < space->map_count; i++) {
        if (space->maps[i].ino && space->maps[i].path[0] == '/')
            add_file(space, &space->maps[i]);
        else if (strcmp(space->maps[i].path, "[vdso]") == 0)
            add_vdso(space, &space->maps[i]);
    }
    if (space->object_count > 1)
        qsort(space->objects, space->object_count, sizeof *space->objects, compare_objects);
    read_unloaded(space);
    return space->mem >= 0 && space->maps && space->catalog;
}

void space_close(struct space *space) {
    for (size_t i = 0; i < space->map_count; i++)
        free(space->maps[i].path);
    for (size_t i = 0; i < space->object_count; i++)
        if (!space->objects[i].file)
            free(space->objects[i].bytes);
    free(space->maps);
    free(space->objects);
    if (space->mem >= 0)
        close(space->mem);
}
