/* resident.c - mincore on our own mapping of the file. */
#include "resident.h"
#include "../ldr.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CHUNK_PAGES = 65536 };
/* mincore walks what is not there too: a sparse file of a terabyte would take seconds. */
#define FILE_MAX ((size_t)64 << 30)

bool file_resident(const struct object *object, uint64_t *pages) {
    if (!object->file || object->file_len > FILE_MAX || geteuid() != 0)
        return false;
    unsigned char *found = must_alloc(CHUNK_PAGES, 1);
    bool good = true;
    uint64_t resident = 0;
    for (size_t at = 0; at < object->file_len && good; at += (size_t)CHUNK_PAGES << PAGE_SHIFT) {
        size_t len = object->file_len - at < (size_t)CHUNK_PAGES << PAGE_SHIFT ? object->file_len - at : (size_t)CHUNK_PAGES << PAGE_SHIFT;
        good = mincore((char *)object->file + at, len, found) == 0;
        for (size_t i = 0; i < (len + PAGE_LEN - 1) >> PAGE_SHIFT && good; i++)
            resident += found[i] & 1;
    }
    free(found);
    *pages = resident;
    return good;
}
