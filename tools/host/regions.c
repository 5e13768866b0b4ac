/* regions.c - the PAGEMAP_SCAN ioctl, which skips what has no page table; reading every word where the kernel has no such. */
#include "regions.h"
#include "../ldr.h"
#include "../pages/pages.h"

#include <errno.h>
#include <linux/types.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* <linux/fs.h> from 6.7 on; the headers of this system may be older than its kernel. */
struct scan_region { uint64_t start, end, categories; };
struct scan {
    uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
    uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
#define SCAN_IOCTL _IOWR('f', 16, struct scan)
enum { SCAN_PRESENT = 1 << 3, SCAN_SWAPPED = 1 << 4, SCAN_ZERO = 1 << 5, SCAN_HUGE = 1 << 6 };

/* One ioctl holds the target's memory map lock all the while: so many pages take it about an eighth of a millisecond. */
enum { SCAN_PAGES_MAX = 4096, SCAN_REGIONS = 512, WORDS = 4096, GAP_PAGES = 8 };

void regions_free(struct regions *regions) {
    free(regions->list);
    *regions = (struct regions){ 0 };
}

static void add(struct regions *regions, struct region region) {
    struct region *last = regions->count ? &regions->list[regions->count - 1] : NULL;
    if (last && last->huge == region.huge && last->zero == region.zero && region.start - last->end <= GAP_PAGES << PAGE_SHIFT) {
        last->end = region.end;
        return;
    }
    if (regions->count == regions->room)
        regions->list = must_grow(regions->list, regions->room = regions->room * 2 + 16, sizeof *regions->list);
    regions->list[regions->count++] = region;
}

static int read_all(int pagemap, uint64_t start, uint64_t end, struct regions *regions) {
    uint64_t words[WORDS];
    while (start < end) {
        size_t want = (end - start) >> PAGE_SHIFT;
        ssize_t got = pread(pagemap, words, (want < WORDS ? want : WORDS) * 8, (off_t)(start >> PAGE_SHIFT) * 8);
        if (got < 8)
            return got < 0 ? -errno : -ESRCH;
        for (size_t i = 0; i < (size_t)got / 8; i++, start += PAGE_LEN)
            if (words[i] & (PM_PRESENT | PM_SWAPPED))
                add(regions, (struct region){ start, start + PAGE_LEN, false, false });
    }
    return 0;
}

int regions_find(int pagemap, uint64_t start, uint64_t end, struct regions *regions) {
    struct scan_region found[SCAN_REGIONS];
    regions->count = 0;
    while (start < end) {
        struct scan scan = { .size = sizeof scan, .start = start, .end = end, .vec = (uintptr_t)found, .vec_len = SCAN_REGIONS,
                             .max_pages = SCAN_PAGES_MAX, .category_anyof_mask = SCAN_PRESENT | SCAN_SWAPPED,
                             .return_mask = SCAN_ZERO | SCAN_HUGE };
        int count = ioctl(pagemap, SCAN_IOCTL, &scan);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && (errno == ENOTTY || errno == EINVAL))
            return read_all(pagemap, start, end, regions);
        if (count < 0)
            return -errno;
        for (int i = 0; i < count; i++)
            add(regions, (struct region){ found[i].start, found[i].end, found[i].categories & SCAN_HUGE, found[i].categories & SCAN_ZERO });
        if (scan.walk_end <= start)
            return read_all(pagemap, start, end, regions);
        start = scan.walk_end;
    }
    return 0;
}
