/* r_debug.h - what a debugger reads: the list of objects and a place to stop when it changes (<link.h>, SVR4 "r_debug"). */
#ifndef LDR_R_DEBUG_H
#define LDR_R_DEBUG_H

#include "../run/run.h"

enum debug_state { DEBUG_CONSISTENT, DEBUG_ADDING, DEBUG_REMOVING };
struct debug_interface {
    int r_version;
    struct public_map *r_map;
    u64 r_brk;
    int r_state;
    u64 r_ldbase;
};
extern __attribute__((visibility("default"))) struct debug_interface _r_debug;
__attribute__((visibility("default"))) void _dl_debug_state(void);

void debug_start(void);               /* fill, and write DT_DEBUG of the program (before its RELRO is sealed) */
void debug_announce(enum debug_state state);

#endif
