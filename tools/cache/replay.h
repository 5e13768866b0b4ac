/* replay.h - a start made again, up to where the program would begin: LDR_CACHE=check and LDR_CACHE=warm end there. */
#ifndef LDR_CACHE_REPLAY_H
#define LDR_CACHE_REPLAY_H

#include "store.h"

enum replay { REPLAY_DONE, REPLAY_DIFFERS, REPLAY_CANNOT };

/* replay_start - start what `key` describes with its directory, options and variables.
 *   how      "check": is what relocation makes now what the record says, byte for byte? "warm": make the record if there is none
 *   returns  DONE; DIFFERS or CANNOT with *why, malloc'd, in the linker's words where it said something
 * No code of the program runs: it is not executed at all unless its own interpreter is this very build of ld-ldr.so. */
enum replay replay_start(const struct cache_dir *store, const struct start_key *key, const char *how, char **why);

/* replay_by_kernel - whether executing `path` would enter this build of ld-ldr.so, with no privilege gained on the way (such a start
 * ignores LDR_CACHE and would run the program); else *why, malloc'd. `dir`: where a relative path begins. */
bool replay_by_kernel(const struct cache_dir *store, int dir, const char *path, char **why);

#endif
