/* catalog.h - files, each opened, mapped read-only and read by the linker's own readers once, however many programs need it.
 *
 * A catalog belongs to one tree of files: this machine's, or a sysroot's, in which absolute symbolic links lead to the sysroot again. It
 * is a snapshot: a path asked for twice gets the same answer. Several threads may use one catalog. */
#ifndef LDR_EXPLAIN_CATALOG_H
#define LDR_EXPLAIN_CATALOG_H

#include "../../ldr/link/link.h"

#include <sys/types.h>
#include <time.h>

/* What was wrong with a file, kept: a struct problem borrows its texts. */
struct defect {
    int code;                         /* LDR_E_*; 0: none */
    u64 found, expected, place;
    bool has_values;
};
struct library_file {
    char *path;                       /* the name it was first opened by, inside the tree */
    char *real_path;                  /* links resolved, inside the tree; NULL: not known */
    dev_t dev;
    ino_t ino;
    mode_t mode;
    uid_t owner;
    struct timespec written, changed; /* its time stamps when it was opened: of the contents, of the inode */
    u64 len;                          /* bytes */
    u8 *bytes;                        /* mapped, private; NULL when empty */
    const struct steady *mapped;       /* the same */
    bool foreign, other_class;        /* candidate_is_foreign */
    struct defect defect;             /* of its headers, dynamic table or versions */
    struct image image;               /* as far as it could be read */
    struct view view;
    struct arena arena;
};

struct catalog;
/* catalog_open - sysroot: a directory, or NULL for this machine's files. NULL with errno set when it cannot be opened. Never closed: what it
 * hands out lives as long as the command. */
struct catalog *catalog_open(const char *sysroot);
const char *catalog_sysroot(const struct catalog *catalog);          /* without trailing slashes; NULL: none */
/* catalog_file - the file at a path (from the root of the tree; relative ones from the current directory, or the tree's root).
 *   returns 0, or a positive errno: ENOENT..., EISDIR for a directory, EINVAL for other things than regular files */
int catalog_file(struct catalog *catalog, const char *path, const struct library_file **file);
bool catalog_is_dir(struct catalog *catalog, const char *path);
/* catalog_dir_mode - permission bits and owner of a directory; false: there is none. */
bool catalog_dir_mode(struct catalog *catalog, const char *path, mode_t *mode, uid_t *owner);
bool catalog_exists(struct catalog *catalog, const char *path);
/* catalog_changed - calls back for every file that was written to since it was opened: what was read of it may be of two states. */
void catalog_changed(struct catalog *catalog, void (*tell)(const struct library_file *, void *), void *arg);
/* catalog_inside - a path as typed on this machine as a path in the tree: malloc'd. Paths below the sysroot lose its name. */
char *catalog_inside(const struct catalog *catalog, const char *path);

#endif
