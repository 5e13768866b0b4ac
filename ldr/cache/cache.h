/* cache.h - contract of cache/: starts that were made before. See ARCHITECTURE.md, "The cache".
 *
 * State of a start, decided once in cache_look:
 *   OFF    nothing is read or written
 *   MAKE   no record: objects are mapped at their places, and when relocation is done images and record are written
 *   WARM   a record was found and everything in it mapped */
#ifndef LDR_CACHE_H
#define LDR_CACHE_H

#include "../run/run.h"

/* cache_look - decide, for the program file `st` known by `path`.
 *   fd       open program file to map from; -1: the kernel mapped the program (session.program is adopted)
 *   returns true when WARM: with an fd, session.program is mapped and described, but not yet in the list of objects */
bool cache_look(const char *path, int fd, const struct stat *st);
u64 cache_place(struct object *object, const struct stat *st);         /* where this file's object goes; 0: anywhere */
/* late.c: what dlopen brings (struct load_hooks) */
int late_take(struct object *object, enum bind_when when);
void late_discarded(const struct object *object);
int late_opened(bool whole);
bool cache_is_warm(void);
bool cache_is_making(void);
/* WARM: put the libraries into the list, described as loading would have; then what place_everything needs. */
int cache_list_objects(void);
int cache_take_order(void);            /* closure and constructor order of the program */
int cache_check_tls(void);             /* after TLS was laid out: the same offsets as when the record was made? */
int cache_on_one_processor(int (*work)(void));         /* MAKE: for the genuine linker's asking the processor what it is; else just work() */
void cache_drop(void);                 /* the program is not linked by us: nothing of the cache stays open or mapped */
/* MAKE: the genuine linker's pages, right after its relocation and before anybody fills it. */
void cache_snapshot_linker(void);
/* MAKE: after relocation, before RELRO: write images and record. Failure is silent: the start goes on as any other. */
void cache_make(void);
/* LDR_CACHE=warm and =check: ends the process where the program would run without having come to cache_make. Otherwise nothing. */
void cache_end_dry(const char *why);
/* MAKE: bytes for the record that are not the cache's; they must live until cache_make. WARM: those of the record, or NULL. */
void cache_keep_facts(const void *facts, u32 len);
const void *cache_facts(u32 *len);
/* Something happened that a later start must do itself (a warning was printed): no record. */
void cache_spoil(const char *why);

#endif
