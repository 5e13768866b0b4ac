/* cache_private.h - what the files of this folder share. */
#ifndef LDR_CACHE_PRIVATE_H
#define LDR_CACHE_PRIVATE_H

#include "cache.h"
#include "format.h"

#define READ_QUIETLY 01000000         /* O_NOATIME */

enum cache_state { CACHE_OFF, CACHE_MAKE, CACHE_WARM };

struct cache {
    enum cache_state state;
    enum store_kind store;            /* whose directory `dir` is */
    int dir;                          /* open directory while MAKE; -1 else */
    int lock;
    const char *dir_name;             /* for what dlopen brings; NULL: it uses no cache */
    u64 seed[2];                      /* of what decides relocated pages in every start of this user alike (key.c) */
    int quiet;                        /* O_NOATIME while records are read for another purpose than to use them */
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
    const void *facts;                /* MAKE: of other layers, for the record */
    u32 facts_len;
    const char *spoilt;
    char miss[400];
    u8 *linker_copy;                  /* MAKE: the genuine linker's writable pages before they are filled */
    u64 linker_copy_vaddr, linker_copy_len;
};
extern struct cache cache;
bool cache_is_asked_why(void);        /* somebody will read the reason of a miss: it may cost something */
/* cache_spoil, and what it is about. The text of `why` stays, that of `what` is copied. */
void cache_spoil_by(const char *why, const char *what);
void cache_end(void);                 /* give everything back; OFF from now on */
void cache_close(void);               /* directory and lock */
bool cache_asked(const char *word);   /* LDR_CACHE=word */
bool cache_may_make(void);            /* nobody is harmed or disturbed by a maker */
bool cache_take_lock(void);           /* without waiting, but under LDR_CACHE=warm */

/* tell.c, nearest.c: in words. cache_miss - why this start is not made from a record: the first reason counts. Texts are copied. Returns false. */
bool cache_miss(const char *why, const char *what);
/* The same of a file that is not as it was: in which field; `err`: there is none; `was` NULL: there was none. */
bool cache_miss_file(const char *path, const struct file_identity *was, int err, const struct stat *st);
bool nearest_tell(void);              /* no record has this key: in what the nearest of this program differs */
void tell_difference(struct text *t, const struct file_identity *was, const struct file_identity *now);
void tell_warm(void);                 /* the start is made from cache.record: where each object's pages come from */

/* store.c: the directory of cache.store. It and everything in it is opened by descriptor, not following links, and must belong to the
 * user, or to root, as only they may write it. */
int store_open(bool create);          /* directory descriptor, or negative: no cache; the user's: cache.dir_name */
int store_reopen(void);               /* the same directory later, when the environment may have been written over */
const char *store_refuses_makers(int dir);    /* not a file system of this machine's own, with room: why; else NULL */
#define STORE_MOST (512ul << 20)
u64 store_limit(void);                /* bytes of packs and records that the store may keep: STORE_MOST, or half of a small file system */
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
u64 identity_hash(const struct file_identity *identity);               /* never 0 */

/* key.c */
/* Eight digits that begin the names of a program's records: four of the path it was started by, four of its file. */
void key_mark(struct text *to, const void *path, u64 len, const struct file_identity *program);
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
    u32 places_read;                  /* how many there were in the file */
    bool changed, is_new;
};
/* catalog_read - or a new one; NULL: no memory. `as_of`: only its places, as they were when that record was made. */
struct catalog *catalog_read(const struct record_head *as_of);
bool catalog_write(struct catalog *catalog);
/* catalog_place - where a file's object goes, given now if it has no place yet. 0: none. */
u64 catalog_place(struct catalog *catalog, const struct stat *st, const struct plan *plan);
struct place *catalog_find_place(struct catalog *catalog, const struct file_identity *file);
bool catalog_add_image(struct catalog *catalog, const struct known_image *image);
u32 catalog_add_pack(struct catalog *catalog, const char *name);

/* evict.c: store_each - every name in the directory. evict - what nobody can use, and what is too much. `everything`: the catalog is new. */
void store_each(void (*visit)(const char *name));
void evict(bool everything);
void evict_late(void);                /* only what dlopen brought */

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
/* attach_pieces - map them over what stands there (`how`: MAP_FIXED) or where nothing does (MAP_FIXED_NOREPLACE); sealed ones read-only, unless
 * some of their words are still to be written. `used`: few pages that are sealed come with their mapping. `pack`: descriptors by piece.pack. Returns
 * how many are mapped: all, or those before a failure. */
u32 attach_pieces(u64 bias, const struct piece *piece, u32 count, bool own_words, bool used, const int *pack, int how);

/* late.c, late_make.c: objects that dlopen brings. One struct late for each file that a dlopen maps, until late_opened. */
struct late {
    struct late *next;
    struct object *object;
    struct file_identity file;
    char name[CACHE_NAME_ROOM];       /* of the file that holds its images */
    int fd;                           /* that file; -1: none */
    const struct late_head *head;     /* its tables, judged, in our heap; NULL: none */
    const struct late_variant *expected;               /* LDR_CACHE=verify: what relocation should come to */
    u64 context[2];                   /* before it was relocated: relocating others may give its dependencies static thread storage */
    bool situated;                    /* context is known */
    bool taken;
};
void tell_late(const struct late *late, const struct late_image *image, bool is_new);  /* tell.c; `image` NULL: relocated by each process */
u64 late_place(struct object *object, const struct stat *st);
/* late_context - what decides the object's relocated pages, besides its own file. False: something in its scopes lies where it may not
 * lie in the next process. */
bool late_context(const struct object *object, enum bind_when when, u64 context[2]);
struct object *late_in_scopes(const struct object *object, u32 position);  /* numbered through all its scopes; NULL: past the end */
bool late_has_room(const struct late_head *head);                      /* for one more situation */
int late_keep(struct late *list);     /* write what is missing; 0, or negative: verification failed, reported */
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
    u32 plain_why;                    /* enum plain_why; KIND_PLAIN only */
    u64 plain_at;
    u32 patch_count;
    const u8 *copy;                   /* bytes to take instead of memory (genuine linker) */
    u64 copy_vaddr;
};
void draft_object(struct draft *draft, struct object *object);
void tell_made(const struct draft *draft, u32 count, u32 new_pack);    /* tell.c; new_pack: its number in the catalog */
/* draft_clean - of the piece at `vaddr`, bytes up to the next fixup or `end`; 0: a fixup stands here. */
u64 draft_clean(const struct draft *draft, u64 vaddr, u64 end, const struct fixup **fixup);
const u8 *draft_bytes(const struct draft *draft, u64 vaddr);
/* draft_uses - a bit for each of `all` that a relocated word of this one leads into. Cleared memory of (count + 7) / 8 bytes. */
void draft_uses(const struct draft *draft, const struct draft *all, u32 count, u8 *uses);
void draft_patches(const struct draft *draft, struct patch *out);      /* draft->patch_count of them */
bool draft_piece_equals(const struct draft *of, const struct piece *piece, const u8 *bytes);           /* make.c */
void draft_write_piece(const struct draft *of, struct piece *piece, struct writer *to);                /* make.c; sets piece->off */
bool program_moves(void);             /* the kernel chooses where the program lies, anew for each exec */

/* startfiles.c: which of its constructors and destructors a start from the image need not call. Of a KIND_SHARED draft, before any was called. */
struct idle { u8 what; /* IDLE_* */ u64 dso_handle; };
struct idle draft_idle(const struct draft *draft);
#define TAG_UNKNOWN 0xffffffffu
static inline u32 short_tag(i64 tag)                   /* as a record keeps it; no tag that counts is longer */
{
    return tag >= 0 && tag < TAG_UNKNOWN ? (u32)tag : TAG_UNKNOWN;
}

/* verify.c: verify_all - is what was just made, byte for byte, what the record and its images say? Reports the first difference. */
int verify_all(const struct record_head *record);
bool draft_all(struct draft **list, u32 *count);       /* make.c */
bool draft_equals(const struct draft *of, const struct piece *have, u32 have_count, const struct pack_ref *packs, u32 pack_count);

#endif
