/* maps.h - what /proc says of a process: apart from crash.h, because host/proc.h and the linker's headers have types of one name. */
#ifndef LDR_CRASH_MAPS_H
#define LDR_CRASH_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct crash_map {
    uint64_t start, end, off, ino;
    bool read, write, exec;
    char *path;                       /* "": anonymous */
};
/* maps_read - by address; malloc'd, paths too; NULL when they cannot be read */
struct crash_map *maps_read(pid_t thread, size_t *count);
/* process_file - whole file NAME of /proc/THREAD; malloc'd, "" when it cannot be read */
char *process_file(pid_t thread, const char *name);

#endif
