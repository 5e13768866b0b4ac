/* cache_private.h - what the files of this folder share. */
#ifndef LDR_CACHE_PRIVATE_H
#define LDR_CACHE_PRIVATE_H

#include "cache.h"
#include "format.h"

enum cache_state { CACHE_OFF, CACHE_MAKE, CACHE_WARM };

struct cache {
    enum cache_state state;
    enum store_kind store;            /* whose directory `dir` is */
    int dir;                          /* open directory while MAKE; -1 else */
    int lock;
    u8 boot[16];
    char record_name[CACHE_NAME_ROOM * 2];
    const u8 *key;
    u32 key_len;
    const struct record_head *record; /* WARM: mapped for the life of the process: versions, paths and names are read from it */
    struct object **object;           /* by number of the record */
    struct catalog *catalog;          /* MAKE */
    struct arena scratch;             /* MAKE */
    struct seen *seen;                /* MAKE: witnesses */
    u32 seen_count;
    struct met *met;                  /* MAKE: files mapped, as they were when opened */
    u32 met_count;
    const char *spoilt;
    char miss[400];
    u8 *linker_copy;                  /* MAKE: the genuine linker's writable pages before they are filled */
    u64 linker_copy_vaddr, linker_copy_len;
};
extern struct cache cache;
void cache_end(void);                 /* give everything back; OFF from now on */
/* cache_miss - why this start is not made from a record: the first reason counts. Texts are copied. Returns false. */
bool cache_miss(const char *why, const char *what);

/* store.c: the directory of cache.store. It and everything in it is opened by descriptor, not following links, and must belong to the
 * user, or to root, as only they may write it. */
int store_open(bool create);          /* directory descriptor, or negative: no cache */
bool store_may_make(int dir);         /* a file system of this machine's own */
u64 store_user(void);                 /* effective user id */
int store_open_file(int dir, const char *name, struct stat *st);   /* regular file of ours that only we can write; negative errno */
int store_stat_file(int dir, const char *name, struct stat *st);           /* the same without leaving it open; 0 or negative errno */
void *store_map(int dir, const char *name, u64 *len);              /* read-only, whole; NULL */
bool store_read_boot(u8 boot[16]);
struct writer { int dir, fd; char name[CACHE_NAME_ROOM]; u64 at; bool failed; };
bool writer_start(struct writer *writer, int dir);
void writer_put(struct writer *writer, const void *bytes, u64 len);
bool writer_end(struct writer *writer, const char *name);          /* complete and renamed; else removed */
void identity_of(const struct stat *st, struct file_identity *identity);
bool identity_equal(const struct file_identity *a, const struct stat *st);

/* key.c */
bool key_make(const char *path, const struct stat *st, char *buf, u64 room);       /* cache.key in buf, cache.record_name */

/* witness.c */
struct seen { struct seen *next; const char *path; struct witness was; bool known; };
struct met { struct met *next; struct file_identity file; };
void witness_watch(void);             /* from now on the search is watched */
void witness_unwatch(void);
void witness_add(const char *path);   /* what stands at this path, or that nothing does, decides */
/* witness_take - the state of a path now. False: it cannot be told, or it changed so recently that a further change in the same tick of
 * its clock would not show. */
bool witness_take(const char *path, struct witness *out);
bool witness_young(const struct file_identity *is);

/* catalog.c */
struct catalog {
    struct catalog_head head;
    struct place *place;              /* room for more */
    struct known_image *image;
    struct pack_ref *pack;
    u32 place_room, image_room, pack_room;
    bool changed, is_new;
};
struct catalog *catalog_read(void);   /* or a new one; NULL: no memory */
bool catalog_write(struct catalog *catalog);
/* catalog_place - where a file's object goes, given now if it has no place yet. 0: none. */
u64 catalog_place(struct catalog *catalog, const struct stat *st, const struct plan *plan);
struct place *catalog_find_place(struct catalog *catalog, const struct file_identity *file);
bool catalog_add_image(struct catalog *catalog, const struct known_image *image);
u32 catalog_add_pack(struct catalog *catalog, const char *name);

/* evict.c: evict - what nobody can use, and what is too much. `everything`: the catalog is new. */
void evict(bool everything);

/* rights.c: is_plain_user - capabilities without the user id 0 (ambient, or of a file) make a process more than its user: then what any
 * process of the user can write is not to be believed. */
bool is_plain_user(void);
/* become_nobody - what goes into a store of the system is searched and opened with the rights that everybody has, so that nothing gets
 * there which some may not read (`program` too), and written as root again. Only in starts that end before the program runs: groups do not
 * come back. False: told by cache_miss. */
bool become_nobody(const char *program);
bool become_root(void);
/* is_for_all - may this file's object be in a record of a system's store? Making it runs resolvers of it. False: told by cache_miss. */
bool is_for_all(const struct stat *st);

/* age.c */
u64 age_now(void);                    /* seconds of CLOCK_BOOTTIME */
u64 age_limit(void);                  /* LDR_CACHE_MAX_AGE in seconds; 0: nothing is young enough; AGE_NONE: no limit */
u64 age_to_record(void);              /* the same as a record holds it: 0: no limit */
bool age_agrees(u64 born, u64 limit); /* may places drawn then be used? Under both limits; the clock is read only if there is one. */
#define AGE_NONE (~0ull)

/* record.c */
const struct record_head *record_read(int dir, const char *program);        /* mapped and judged, every witness asked; NULL: no valid record */

/* attach.c */
#define RECORD_PACKS_MOST 64u         /* a start opens them all at once */
bool attach_all(const struct record_head *record, int dir, int program_fd);

/* make.c */
bool make_all(void);                  /* write what is missing: images, catalog, record. Silent; true: the record is there. */
/* beside.c: make_beside - make_all by a process of its own, so that the program need not wait. */
enum beside { BESIDE_STARTED, BESIDE_HERE, BESIDE_NOT };           /* HERE: do it yourself; NOT: not at all */
enum beside make_beside(void);

/* draft.c: an object's writable pages as an image */
struct fixup { u64 vaddr, value; bool patch; };        /* word that differs in each process: stands in the image as `value` */
struct draft {                        /* what will be written about one object */
    struct object *object;
    u32 kind;
    struct piece piece[PIECES_MOST];
    u32 piece_count;
    struct fixup *fixup;              /* ascending */
    u32 fixup_count, fixup_room;
    bool own_words;
    u32 patch_count;
    const u8 *copy;                   /* bytes to take instead of memory (genuine linker) */
    u64 copy_vaddr;
};
void draft_object(struct draft *draft, struct object *object);
/* draft_clean - of the piece at `vaddr`, bytes up to the next fixup or `end`; 0: a fixup stands here. */
u64 draft_clean(const struct draft *draft, u64 vaddr, u64 end, const struct fixup **fixup);
const u8 *draft_bytes(const struct draft *draft, u64 vaddr);

/* verify.c: verify_all - is what was just made, byte for byte, what the record and its images say? Reports the first difference. */
int verify_all(const struct record_head *record);
bool draft_all(struct draft **list, u32 *count);       /* make.c */
bool draft_equals(const struct draft *of, const struct piece *have, u32 have_count, const struct pack_ref *packs, u32 pack_count);

#endif
