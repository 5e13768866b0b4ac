/* use.c - every process's maps for files of the cache directory, by device and inode; then the page tables of those that map packs, read and
 * counted by the page report's own code. */
#include "use.h"
#include "../host/collect.h"
#include "../ldr.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The device as maps show it, which is not everywhere what stat says (btrfs, overlay file systems). */
static bool device_of(int dir, const char *name, uint64_t *dev) {
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK), self = proc_open(getpid());
    void *at = fd < 0 ? MAP_FAILED : mmap(NULL, 1, PROT_READ, MAP_PRIVATE, fd, 0);
    struct text text = { 0 };
    struct map_line line;
    bool found = false;
    if (at != MAP_FAILED && self >= 0 && proc_read(self, "maps", &text) == 0)
        for (char *cursor = text.bytes; !found && map_next(&cursor, &line);) {
            found = line.start == (uint64_t)(uintptr_t)at;
            *dev = line.dev;
        }
    text_free(&text);
    if (at != MAP_FAILED)
        munmap(at, 1);
    if (fd >= 0)
        close(fd);
    if (self >= 0)
        close(self);
    return found;
}

static int compare_ino(const void *key, const void *file) {
    uint64_t a = *(const uint64_t *)key, b = ((const struct use_file *)file)->ino;
    return a < b ? -1 : a > b;
}

/* Counts the process once for each file it maps. Returns whether it maps one. */
static bool count_files(char *maps, uint64_t dev, struct use_file *files, size_t count, bool *seen) {
    bool any = false;
    struct map_line line;
    memset(seen, 0, count * sizeof *seen);
    for (char *cursor = maps; map_next(&cursor, &line);) {
        struct use_file *file = line.dev == dev ? bsearch(&line.ino, files, count, sizeof *files, compare_ino) : NULL;
        if (!file || seen[file - files])
            continue;
        seen[file - files] = any = true;
        file->users++;
    }
    return any;
}

static void find_users(uint64_t dev, struct use_file *files, size_t file_count, struct targets *targets, struct use *use) {
    size_t count;
    pid_t *pids = proc_pids(&count);
    bool *seen = must_alloc(file_count + 1, sizeof *seen);
    struct text text = { 0 };
    targets->list = must_alloc(count, sizeof *targets->list);
    for (size_t i = 0; i < count; i++) {
        pid_t task;
        int proc = proc_open_memory(pids[i], &task);
        uid_t user;
        if (proc < 0)
            continue;
        int err = proc_read(proc, "maps", &text);
        if (err == 0 && count_files(text.bytes, dev, files, file_count, seen)) {
            targets->list[targets->count++] = (struct target){ .pid = pids[i], .task = task, .proc = proc, .name = must_format("%d", (int)pids[i]) };
            continue;
        }
        use->unreadable += (err == -EACCES || err == -EPERM) && proc_user(proc, &user) == 0 && user == geteuid();
        close(proc);
    }
    use->processes = targets->count;
    text_free(&text);
    free(seen);
    free(pids);
}

static const struct use_range *find_range(const struct use_range *ranges, size_t count, uint64_t ino, uint64_t page) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct use_range *at = &ranges[middle];
        if (at->ino < ino || (at->ino == ino && at->page + at->pages <= page))
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && ranges[low].ino == ino && ranges[low].page <= page ? &ranges[low] : NULL;
}

struct counting {
    const struct snapshot *snapshot;
    const struct use_range *ranges;
    size_t range_count;
    struct use_image *images;
    uint32_t *last_user;              /* of each image: 1 + the owner counted last */
    struct frame_set frames;
    struct use *use;
};

/* A page of a pack is one frame for everybody: with frame numbers that is seen, otherwise it is how files are. */
static void count_run(struct counting *counting, uint32_t owner, const struct run *run, struct frame_cursor *cursor) {
    const struct snapshot *snapshot = counting->snapshot;
    const struct use_range *range = NULL;
    uint64_t ino = snapshot->objects[run->pack - 1].ino;
    for (size_t i = 0; i < run->pages; i++) {
        uint64_t word = word_get(&snapshot->owners[owner], snapshot->method, run->word + i), page = run->pack_page + i;
        if (!(word & PM_PRESENT) || !(word & PM_FILE))
            continue;
        if (!range || page - range->page >= range->pages)
            range = find_range(counting->ranges, counting->range_count, ino, page);
        if (!range)
            continue;                 /* a pack of another directory, or written since this one was read */
        uint64_t key = snapshot->method == METHOD_FRAMES ? word & PM_FRAME : (uint64_t)(run->pack - 1) << 40 | page;
        struct use_image *image = &counting->images[range->image];
        bool saved = frame_add(&counting->frames, cursor, key, owner, range->image, false, CAUSE_UNKNOWN) == FRAME_AVOIDED;
        image->mapped++;
        counting->use->mapped++;
        image->saved += saved;
        counting->use->saved += saved;
        image->users += counting->last_user[range->image] != owner + 1;
        counting->last_user[range->image] = owner + 1;
    }
}

static void count_pages(struct counting *counting, size_t image_count) {
    const struct snapshot *snapshot = counting->snapshot;
    counting->last_user = must_alloc(image_count, sizeof *counting->last_user);
    for (uint32_t o = 0; o < snapshot->owner_count; o++) {
        struct frame_cursor cursor = { 0 };
        for (size_t r = 0; r < snapshot->owners[o].run_count; r++)
            if (snapshot->owners[o].runs[r].pack)
                count_run(counting, o, &snapshot->owners[o].runs[r], &cursor);
    }
    frame_set_free(&counting->frames);
    free(counting->last_user);
}

bool use_read(int dir, const char *name, struct use_file *files, size_t file_count, const struct use_range *ranges, size_t range_count, struct use_image *images,
              size_t image_count, struct use *use) {
    uint64_t dev;
    *use = (struct use){ 0 };
    if (!device_of(dir, name, &dev))
        return false;
    struct targets targets = { 0 };
    struct collection collection;
    find_users(dev, files, file_count, &targets, use);
    collect(&targets, SCOPE_ELF, false, &collection);
    struct counting counting = { .snapshot = &collection.snapshot, .ranges = ranges, .range_count = range_count, .images = images, .use = use };
    count_pages(&counting, image_count);
    use->exact = collection.snapshot.method == METHOD_FRAMES && !collection.unstable && !targets.left_by[LEFT_UNREADABLE] && !targets.left_by[LEFT_UNOPENED];
    collection_free(&collection);
    targets_free(&targets);
    return true;
}
