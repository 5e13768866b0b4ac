/* resident.h - what of a mapped file is in the page cache, whether anybody maps it or not. */
#ifndef LDR_HOST_RESIDENT_H
#define LDR_HOST_RESIDENT_H

#include "../pages/pages.h"

/* file_resident - pages of the object's file in the page cache now
 *   returns false when that cannot be told: no file of our own mapping, or no privilege (the kernel calls every page resident
 *   to those who neither own the file nor may write it, mm/mincore.c) */
bool file_resident(const struct object *object, uint64_t *pages);

/* file_unmapped - of these, pages that none of the owners maps; counts are the object's */
static inline uint64_t file_unmapped(uint64_t resident, const struct counts *counts) {
    uint64_t mapped = counts->shared - counts->shared_copies + counts->alone;
    return resident > mapped ? resident - mapped : 0;
}

#endif
