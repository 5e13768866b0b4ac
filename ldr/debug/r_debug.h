/* r_debug.h - what a debugger reads: the list of objects and a place to stop when it changes (<link.h>, SVR4 "r_debug"). */
#ifndef LDR_R_DEBUG_H
#define LDR_R_DEBUG_H

#include "../run/run.h"
#include "../../include/ldr/unloaded.h"

enum debug_state { DEBUG_CONSISTENT, DEBUG_ADDING, DEBUG_REMOVING };
struct debug_interface {
    int r_version;
    struct public_map *r_map;
    u64 r_brk;
    int r_state;
    u64 r_ldbase;
    struct debug_interface *r_next;   /* version 2: one more list of objects */
};
#define DEBUG_INTERFACE_V1 40u        /* bytes of version 1, all that glibc's symbol _r_debug has */
extern __attribute__((visibility("default"))) struct debug_interface _r_debug;
__attribute__((visibility("default"))) void _dl_debug_state(void);

/* debug_start - fill, and write DT_DEBUG of the program (before its RELRO is sealed). `theirs`: the genuine linker's _r_debug, or 0. */
void debug_start(u64 theirs);
void debug_announce(enum debug_state state);

/* debug_unloaded - keeps where an object was that is about to be unmapped; called under the linker's lock. */
extern struct unloaded _ldr_unloaded;
void debug_unloaded(const struct object *object);

#endif
