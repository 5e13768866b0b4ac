/* regions.h - where in an address range are pages? Terabytes may be mapped and little of it in memory. */
#ifndef LDR_HOST_REGIONS_H
#define LDR_HOST_REGIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct region {
    uint64_t start, end; /* addresses */
    bool huge;           /* mapped by entries of 2 MiB or more */
    bool zero;           /* the zero page */
};
struct regions {
    struct region *list; /* ascending; owned */
    size_t count, room;
};
void regions_free(struct regions *regions);

/* regions_find - pages in memory or swap between two page-aligned addresses, gaps of a few pages included
 *   in      pagemap   /proc/PID/pagemap of the process
 *   out     regions   emptied first. huge and zero are never set by a kernel without PAGEMAP_SCAN (before 6.7); the search then
 *                     takes as long as reading every word of the range
 *   returns 0 or -errno (-ESRCH: the address space is gone) */
int regions_find(int pagemap, uint64_t start, uint64_t end, struct regions *regions);

#endif
