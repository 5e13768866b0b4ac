/* store.h - what lies in the cache directory, read for people: each start recorded there, each pack, the catalog of images.
 *
 * Reads the files that the linker writes (ldr/cache/format.h) and judges every count and offset in them: a file may be cut short, damaged
 * or of another build. Nothing is mapped, so a file that shrinks while it is read cannot end the command. */
#ifndef LDR_CACHE_STORE_H
#define LDR_CACHE_STORE_H

#include "../../ldr/cache/format.h"
#include "use.h"

#include <sys/stat.h>
#include <time.h>

struct bytes { u8 *at; u64 len; };    /* a whole file; at is malloc'd */

/* bytes_at - `count` elements of `width` bytes at `off`, or NULL when they are not all there or not aligned as the linker aligns them */
const void *bytes_at(const struct bytes *bytes, u64 off, u64 count, u64 width);

/* A start can be made from its record, or not: */
enum start_state {
    START_VALID,
    START_STALE,                      /* something changed since; the next start makes a new record */
    START_DAMAGED,                    /* the record itself, or a pack that it names */
};

/* The texts of a key, in the order of enum key_text; NULL: absent. */
struct start_key {
    struct key_head head;
    const u8 *notes;
    char *text[KEY_TEXTS];
    char **env;                       /* NAME=VALUE, NULL at the end */
    size_t env_count;
};

struct start_object {
    char *path;                       /* where its file was found; the program's own for object 0 */
    u32 kind;                         /* enum object_kind */
    struct file_identity file;
    u64 pages, read_only;             /* pages mapped from images; of these RELRO */
    u32 plain_why;                    /* enum plain_why: why it is relocated at each start */
    u64 plain_at;
    u64 pack_ino, pack_page;          /* where its first page lies, when it has any */
};

struct start {
    char *name;                       /* of the record */
    u64 size;                         /* of the record, bytes */
    u64 ino;                          /* of the record, as of a pack: who maps it runs from it */
    struct timespec made, read;       /* read: access time of the file, see read_times */
    size_t users;                     /* processes that were started from it, or forked by those; cache_find_use sets it */
    enum start_state state;
    char *why;                        /* for any but START_VALID */
    bool key_known;                   /* key is set */
    struct start_key key;
    struct start_object *objects;     /* NULL when the record is damaged or another build's */
    size_t object_count;
    u64 pages, read_only;
    size_t pack_count;
};

struct pack {
    char *name;
    u64 size;                         /* bytes */
    u64 ino;
    struct stat st;                   /* as it was listed */
    size_t starts;                    /* records that name it */
    size_t users;                     /* processes that map it now */
    bool in_catalog;
};

struct cached_image {                 /* one variant of an object's relocated pages */
    struct file_identity file;
    const char *path;                 /* from a record that holds the file; NULL: none does */
    u64 pages, read_only;
    struct use_range parts[PIECES_MOST];       /* where they lie; no parts: its pack is not there */
    size_t part_count;
    char *opened_path;                /* of one that programs opened: its name, malloc'd, which `path` is */
    size_t *starts;                   /* those that map it, by number; cache_join sets it */
    size_t start_count;
    struct use_image use;             /* cache_find_use sets it */
};

/* What access times tell of a record's last use: the kernel keeps none, one that may be a day old, or the last one. */
enum read_times { READ_TIMES_NONE, READ_TIMES_DAY, READ_TIMES_EXACT };

struct cache_dir {
    enum store_kind kind;
    char *path;                       /* of the directory */
    int dir;                          /* open */
    u8 boot[16];
    char *loader;                     /* path of ld-ldr.so, NULL if there is none */
    struct bytes loader_notes;
    struct start *starts;
    size_t start_count;
    struct pack *packs;
    size_t pack_count;
    struct cached_image *images;
    size_t image_count, place_count;
    char *catalog_why;                /* why the catalog cannot be used; NULL: it can */
    u64 size;                         /* of all files, bytes */
    size_t unfinished;                /* temporary files of makers at work or killed */
    size_t foreign;                   /* files that no linker wrote, or that it does not trust */
    struct use use;                   /* cache_find_use sets it, and read_times */
    enum read_times read_times;
};

/* cache_open - find the directory as the linker does (LDR_CACHE_DIR, else the user's runtime or cache directory; the system's stores at
 * their fixed places) and read all of it.
 *   create   make the directory when it is the first choice and not there, as the linker would
 *   returns 0; LDR_EXIT_NO_TARGET after a message when there is none or the linker would not trust it; LDR_EXIT_FAILED */
int cache_open(struct cache_dir *store, enum store_kind kind, bool create);
void cache_close(struct cache_dir *store);

/* programs.c: cache_join - which starts use which image; `stale`: those too that no longer hold. cache_find_use - and which running processes; asks every process. */
void cache_join(struct cache_dir *store, bool stale);
void cache_find_use(struct cache_dir *store);

/* pack_first_page - why the first page of a pack, which belongs to no image, is not as a maker writes it (malloc'd); NULL: it is */
char *pack_first_page(const struct cache_dir *store, const struct pack *pack);

/* opened.c: images of what programs opened, in packs of their own. opened_read - list them; after the catalog's. opened_damage - why such a pack
 * is not as it was written, its pages included (malloc'd); NULL: it is. */
#define OPENED_MOST (1ull << 30)
bool is_opened(const struct pack *pack);
void opened_read(struct cache_dir *store);
char *opened_damage(const struct cache_dir *store, const struct pack *pack);

/* cache_lock - become the only maker: waits up to `seconds`. Returns the descriptor to close, or -1 after a message. */
int cache_lock(const struct cache_dir *store, int seconds);

/* cache_remove - every file whose name begins so. False after a message: one could not be removed. */
bool cache_remove(const struct cache_dir *store, const char *prefix);

/* record.c: start_read - the record `bytes` as a start of `store`; state, why, key and objects are set. */
void start_read(struct start *start, const struct cache_dir *store, const struct bytes *bytes);
void start_free(struct start *start);

/* catalog.c: catalog_read - the images the catalog lists; needs the starts and packs. */
void catalog_read(struct cache_dir *store, const struct bytes *bytes);

/* cache_file - open a file of the directory as the linker does and take its bytes, `most` of them at most.
 *   returns NULL and *bytes, or why not (malloc'd) */
char *cache_file(const struct cache_dir *store, const char *name, u64 most, struct stat *st, struct bytes *bytes);
bool identity_is(const struct file_identity *identity, const struct stat *st);

/* elf.c: loader_notes - bytes of the PT_NOTE segments of an ELF file, which tell builds of ld-ldr.so apart. False: not readable. */
bool loader_notes(const char *path, struct bytes *notes);
/* program_interpreter - malloc'd PT_INTERP of an ELF file; NULL: none, or not readable */
char *program_interpreter(const char *path);

#endif
