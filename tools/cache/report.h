/* report.h - what `ldr cache` prints, as text for people and as JSON (documented in ldr(1)). */
#ifndef LDR_CACHE_REPORT_H
#define LDR_CACHE_REPORT_H

#include "store.h"

/* What became of one record in `ldr cache verify`. */
enum verdict_kind { VERDICT_HOLDS, VERDICT_DIFFERS, VERDICT_STALE, VERDICT_CANNOT, VERDICT_NOT_ASKED, VERDICT_KINDS };
struct verdict {
    enum verdict_kind result;
    char *why;                        /* malloc'd; NULL for HOLDS */
};
struct verdicts {                     /* in the order of store.starts */
    struct verdict *list;
    size_t count, of[VERDICT_KINDS];
    size_t images_left;               /* images of the records asked for that no start is known to make again */
    char **packs;                     /* what is wrong with the first page of a pack, malloc'd; the others are images' */
    size_t pack_count;
};

void cache_report_text(const struct cache_dir *store, size_t top);
void cache_report_json(const struct cache_dir *store);
void cache_verdicts_text(const struct cache_dir *store, const struct verdicts *verdicts);
void cache_verdicts_json(const struct cache_dir *store, const struct verdicts *verdicts);

/* start_program - the program of a start as a report names it: its path, or the record's name where that is not known */
static inline const char *start_program(const struct start *start) {
    return start->key_known ? start->key.text[KEY_PATH] : start->name;
}
/* start_was_read - whether the record's access time is one of a start from it, not that of its making */
static inline bool start_was_read(const struct cache_dir *store, const struct start *start) {
    return store->read_times != READ_TIMES_NONE &&
           (start->read.tv_sec > start->made.tv_sec || (start->read.tv_sec == start->made.tv_sec && start->read.tv_nsec > start->made.tv_nsec));
}
static inline const char *start_state_name(enum start_state state) {
    return state == START_VALID ? "valid" : state == START_STALE ? "stale" : "damaged";
}
static inline const char *verdict_name(enum verdict_kind kind) {
    static const char *const names[VERDICT_KINDS] = { "holds", "differs", "stale", "not verified", "not asked for" };
    return names[kind];
}
static inline const char *start_entry(const struct start *start) {
    return !start->key_known ? "" : start->key.head.way ? "command" : "kernel";
}

#endif
