/* mappings.h - the file mappings of a process. Apart from process.c because tools/host and ldr/base both have a `struct text`. */
#ifndef LDR_EXPLAIN_MAPPINGS_H
#define LDR_EXPLAIN_MAPPINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct mapping {
    uint64_t start, end, off, dev, ino;
    char *path;                       /* as the kernel has it now; " (deleted)" behind it when the file is gone */
};
/* mappings_read - those with a file, ascending; malloc'd, as the paths. NULL: they cannot be read. */
struct mapping *mappings_read(pid_t pid, size_t *count);
void mappings_free(struct mapping *list, size_t count);

#endif
