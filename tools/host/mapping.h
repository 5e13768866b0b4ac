/* mapping.h - a whole file in memory that somebody may cut short meanwhile: what was cut off reads as zeros instead of ending us by SIGBUS. */
#ifndef LDR_HOST_MAPPING_H
#define LDR_HOST_MAPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

struct mapping {
    const void *bytes;
    size_t len;
    volatile bool cut;                /* a page was touched that the file no longer has */
    struct mapping *next;             /* mapping.c's */
};
/* mapping_open - maps a regular file of at least one byte
 *   mapping  stays where it is until mapping_close; `bytes` NULL and nothing to close on failure
 *   st       what it was when it was opened
 *   For programs of one thread. */
bool mapping_open(struct mapping *mapping, const char *path, struct stat *st);
void mapping_close(struct mapping *mapping);

#endif
