/* unloaded.h - the last objects that a process has unloaded, kept by ld-ldr.so for whoever looks at its memory: code that is still called
 * after dlclose lies in none of the objects of _r_debug. A note of ld-ldr.so (owner "ldr", type 2)
 * tells how far behind its own eight bytes it lies. Written under the linker's lock; `count` last. */
#ifndef LDR_UNLOADED_H
#define LDR_UNLOADED_H

#include <stdint.h>

#define UNLOADED_VERSION 1u
#define UNLOADED_MAX 16u                               /* the newest overwrites the oldest */
#define UNLOADED_PATH 232u

struct unloaded_object {
    uint64_t start, end;                               /* addresses it was mapped at */
    uint64_t bias;
    char path[UNLOADED_PATH];                          /* ends with 0; the end of a longer path */
};
struct unloaded {
    uint32_t version, room;                            /* 0 until something was unloaded */
    uint64_t count;                                    /* so far; object number n is at n % room */
    struct unloaded_object object[UNLOADED_MAX];
};

#endif
