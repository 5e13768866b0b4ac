/* kernel.c - the method, the zero pages, the devices of memory files, and KSM. */
#include "kernel.h"
#include "../ldr.h"
#include "regions.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HUGE_LEN ((size_t)2 << 20)

static int open_own(void) { return open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC); }

/* pagemap word of an address of our own; 0 when it cannot be read */
static uint64_t own_word(const volatile void *address) {
    uint64_t word = 0;
    int fd = open_own();
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

static bool is_huge(const char *address) {
    struct regions regions = { 0 };
    int fd = open_own();
    bool huge = fd >= 0 && regions_find(fd, (uintptr_t)address, (uintptr_t)address + PAGE_LEN, &regions) == 0 && regions.count == 1 &&
                regions.list[0].huge;
    if (fd >= 0)
        close(fd);
    regions_free(&regions);
    return huge;
}

/* Huge pages of memory that was only read are all the huge zero page, which exists while somebody maps it. Two places with the
 * same frame are the proof: where the kernel does not use one, each has its own. */
static uint64_t find_huge_zero_frame(void **held) {
    char *space = mmap(NULL, 3 * HUGE_LEN, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (space == MAP_FAILED)
        return 0;
    char *first = (char *)(((uintptr_t)space + HUGE_LEN - 1) & -HUGE_LEN), *second = first + HUGE_LEN;
    madvise(space, 3 * HUGE_LEN, MADV_HUGEPAGE);
    (void)*(volatile char *)first;
    (void)*(volatile char *)second;
    uint64_t frame = own_word(first) & PM_FRAME;
    if (frame && frame == (own_word(second) & PM_FRAME) && is_huge(first)) {
        *held = space;
        return frame;
    }
    munmap(space, 3 * HUGE_LEN);
    return 0;
}

static uint64_t device_of_memfd(unsigned flags) {
    struct stat st;
    int fd = memfd_create("ldr", MFD_CLOEXEC | flags);
    bool good = fd >= 0 && fstat(fd, &st) == 0;
    if (fd >= 0)
        close(fd);
    return good ? st.st_dev : 0;
}

void kernel_look(struct kernel *kernel) {
    *kernel = (struct kernel){ .method = find_method(), .shared_dev = device_of_memfd(0), .hugetlb_dev = device_of_memfd(MFD_HUGETLB) };
    if (kernel->method == METHOD_FRAMES) {
        kernel->zero_frame = find_zero_frame();
        kernel->huge_zero_frame = find_huge_zero_frame(&kernel->held);
    }
}

void kernel_free(struct kernel *kernel) {
    if (kernel->held)
        munmap(kernel->held, 3 * HUGE_LEN);
    *kernel = (struct kernel){ 0 };
}

/* ---- KSM ---- */

#define KPF_KSM (UINT64_C(1) << 21)
enum { FLAGS_CHUNK = 512, FLAGS_GAP = 64 };

static bool anything_merged(void) {
    unsigned long pages = 0;
    FILE *file = fopen("/sys/kernel/mm/ksm/pages_shared", "re");
    if (!file)
        return false; /* a kernel without KSM */
    bool some = fscanf(file, "%lu", &pages) == 1 && pages;
    fclose(file);
    return some;
}

static int compare_frames(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Every frame that is no file's, ascending, each once. */
static uint64_t *list_anonymous(const struct snapshot *snapshot, size_t *count) {
    uint64_t *frames = NULL;
    size_t room = 0, found = 0;
    for (size_t o = 0; o < snapshot->owner_count; o++)
        for (size_t i = 0; i < snapshot->owners[o].word_count; i++) {
            uint64_t word = word_get(&snapshot->owners[o], snapshot->method, i);
            if (!(word & PM_PRESENT) || (word & PM_FILE) || (word & PM_FRAME) == snapshot->zero_frame)
                continue;
            if (found == room)
                frames = must_grow(frames, room = room * 2 + 4096, sizeof *frames);
            frames[found++] = word & PM_FRAME;
        }
    if (found)
        qsort(frames, found, sizeof *frames, compare_frames);
    *count = 0;
    for (size_t i = 0; i < found; i++)
        if (*count == 0 || frames[*count - 1] != frames[i])
            frames[(*count)++] = frames[i];
    return frames;
}

bool kernel_find_merged(struct snapshot *snapshot) {
    if (!anything_merged())
        return true;
    int fd = snapshot->method == METHOD_FRAMES ? open("/proc/kpageflags", O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return false;
    size_t count;
    uint64_t *frames = list_anonymous(snapshot, &count), flags[FLAGS_CHUNK];
    bool good = true;
    for (size_t i = 0, end; i < count && good; i = end) {
        /* frames close together in one read */
        for (end = i + 1; end < count && frames[end] - frames[end - 1] < FLAGS_GAP && frames[end] - frames[i] < FLAGS_CHUNK; end++)
            ;
        size_t len = (size_t)(frames[end - 1] - frames[i] + 1) * 8;
        good = pread(fd, flags, len, (off_t)(frames[i] * 8)) == (ssize_t)len;
        uint64_t from = frames[i];
        for (size_t f = i; good && f < end; f++)
            if (flags[frames[f] - from] & KPF_KSM)
                frames[snapshot->merged_count++] = frames[f]; /* never beyond f: the list shrinks in place */
    }
    close(fd);
    snapshot->merged = frames;
    return good;
}
