/* catalog.c - the paths looked at so far, and the files behind them by (device, inode).
 *
 * Programs of one machine share their libraries: `ldr check /usr/bin` asks for libc.so.6 a thousand times and reads it once. Paths that
 * lead nowhere are remembered too; search lists ask for those most of all. */
#include "catalog.h"
#include "steady.h"
#include "../ldr.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BUCKETS = 16384 };

struct known_path {
    char *path;
    int error;                        /* 0: file */
    const struct library_file *file;
    struct known_path *next;
};
struct known_dir {
    char *path;
    bool present;
    mode_t mode;
    uid_t owner;
    struct known_dir *next;
};
struct known_file {
    struct library_file file;
    struct known_file *next;
};
struct catalog {
    char *sysroot;
    int root;                         /* descriptor of the sysroot, or AT_FDCWD */
    pthread_mutex_t lock;
    struct known_path *paths[BUCKETS];
    struct known_dir *dirs[BUCKETS];
    struct known_file *files[BUCKETS];
};

static u32 bucket_of(const char *path) { return gnu_hash_of(path) % BUCKETS; }

struct catalog *catalog_open(const char *sysroot) {
    struct catalog *catalog = must_alloc(1, sizeof *catalog);
    catalog->root = AT_FDCWD;
    pthread_mutex_init(&catalog->lock, NULL);
    if (!sysroot)
        return catalog;
    catalog->root = open(sysroot, O_PATH | O_DIRECTORY | O_CLOEXEC);
    catalog->sysroot = catalog->root < 0 ? NULL : realpath(sysroot, NULL);
    if (!catalog->sysroot) {
        free(catalog);
        return NULL;
    }
    if (strcmp(catalog->sysroot, "/") == 0)
        *catalog->sysroot = '\0';
    return catalog;
}

const char *catalog_sysroot(const struct catalog *catalog) { return catalog->sysroot; }

char *catalog_inside(const struct catalog *catalog, const char *path) {
    char resolved[PATH_MAX];
    if (!catalog->sysroot)
        return must_format("%s", path);
    size_t len = strlen(catalog->sysroot);
    if (realpath(path, resolved) && strncmp(resolved, catalog->sysroot, len) == 0 && resolved[len] == '/')
        return must_format("%s", resolved + len);
    /* A link of the sysroot that only leads somewhere inside it: its own name counts. */
    if (strncmp(path, catalog->sysroot, len) == 0 && path[len] == '/')
        return must_format("%s", path + len);
    return must_format("%s", path);
}

/* Opens inside the tree. Links that lead to "/" lead to the sysroot: RESOLVE_IN_ROOT is the kernel's chroot for one call. */
static int open_inside(const struct catalog *catalog, const char *path, int flags) {
    if (catalog->root == AT_FDCWD)
        return open(path, flags | O_CLOEXEC);
    struct open_how how = { .flags = (unsigned)flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
    return (int)syscall(SYS_openat2, catalog->root, path, &how, sizeof how);
}

static int stat_inside(const struct catalog *catalog, const char *path, struct stat *st) {
    if (catalog->root == AT_FDCWD)
        return stat(path, st) == 0 ? 0 : errno;
    int fd = open_inside(catalog, path, O_PATH);
    if (fd < 0)
        return errno;
    int error = fstat(fd, st) == 0 ? 0 : errno;
    close(fd);
    return error;
}

/* ---- one file ---------------------------------------------------------------------------------------------------------- */

struct block {
    struct block *older;
    char bytes[];
};

static void *more_memory(struct arena *arena, size_t need, size_t *got) {
    size_t room = need > 4000 ? need : 4000;
    struct block *block = malloc(sizeof *block + room);
    if (!block)
        return NULL;
    block->older = arena->chunks;
    arena->chunks = block;
    *got = room;
    return block->bytes;
}

struct keeping_report {
    struct report report;
    struct defect *defect;
};

static void keep_first(struct report *report, const struct problem *problem) {
    struct defect *defect = ((struct keeping_report *)report)->defect;
    if (!defect->code)
        *defect = (struct defect){ problem->code, problem->found, problem->expected, problem->place, problem->has_values };
}

/* As run/load.c reads what precedes mapping, on a file that is mapped whole. */
static void read_file(struct library_file *file) {
    struct keeping_report keeping = { { keep_first }, &file->defect };
    struct report *report = &keeping.report;
    struct image *image = &file->image;
    image->path = file->path;
    file->arena.more = more_memory;
    file->foreign = candidate_is_foreign(file->bytes, file->len, &file->other_class);
    if (image_check_header(file->bytes, file->len, file->path, report) != 0)
        return;
    Elf64_Ehdr head;
    memcpy(&head, file->bytes, sizeof head);
    u64 len = (u64)head.e_phnum * sizeof(Elf64_Phdr), end;
    if (!head.e_phnum) {
        report_values(report, LDR_E_NO_LOAD, file->path, 0, 1, 0);
        return;
    }
    if (!add_u64(head.e_phoff, len, &end) || end > file->len) {
        report_values(report, LDR_E_PHDR_RANGE, file->path, head.e_phoff, file->len, head.e_phnum);
        return;
    }
    const Elf64_Phdr *phdr = (const void *)(file->bytes + head.e_phoff);
    if (head.e_phoff % 8) {
        Elf64_Phdr *copy = arena_alloc(&file->arena, len);
        if (!copy)
            return;
        phdr = memcpy(copy, file->bytes + head.e_phoff, len);
    }
    image->type = head.e_type;
    image->entry = head.e_entry;
    file->view = (struct view){ .bytes = file->bytes, .plan = &image->plan, .rule = VIEW_FILE };
    if (image_read_phdrs(image, phdr, head.e_phnum, file->len, &file->arena, report) == 0 &&
        image_read_dynamic(image, &file->view, report) == 0)
        image_read_versions(image, &file->view, &file->arena, report);
}

static char *real_path_of(const struct catalog *catalog, int fd) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (len <= 0 || path[0] != '/')
        return NULL;
    path[len] = '\0';
    size_t root = catalog->sysroot ? strlen(catalog->sysroot) : 0;
    return must_format("%s", root && strncmp(path, catalog->sysroot, root) == 0 && path[root] == '/' ? path + root : path);
}

/* 0 with *out set, or an errno. Called with the lock held. */
static int open_library(struct catalog *catalog, const char *path, const struct library_file **out) {
    struct stat st;
    int error = stat_inside(catalog, path, &st);   /* before opening: opening a device can do something */
    if (error)
        return error;
    if (S_ISDIR(st.st_mode))
        return EISDIR;
    if (!S_ISREG(st.st_mode))
        return EINVAL;
    u32 bucket = (u32)((u64)st.st_ino * 31 + (u64)st.st_dev) % BUCKETS;
    for (struct known_file *known = catalog->files[bucket]; known; known = known->next)
        if (known->file.ino == st.st_ino && known->file.dev == st.st_dev) {
            *out = &known->file;
            return 0;
        }
    int fd = open_inside(catalog, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return errno;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return EINVAL;
    }
    const struct steady *bytes = NULL;
    if (st.st_size > 0 && !(bytes = steady_map(fd, (u64)st.st_size))) {
        error = errno;
        close(fd);
        return error;
    }
    struct known_file *known = must_alloc(1, sizeof *known);
    known->file = (struct library_file){ .path = must_format("%s", path), .real_path = real_path_of(catalog, fd), .dev = st.st_dev, .ino = st.st_ino,
                                         .mode = st.st_mode, .owner = st.st_uid, .written = st.st_mtim, .changed = st.st_ctim, .len = (u64)st.st_size,
                                         .bytes = bytes ? steady_at(bytes) : NULL, .mapped = bytes };
    close(fd);
    known->next = catalog->files[bucket];
    catalog->files[bucket] = known;
    read_file(&known->file);
    *out = &known->file;
    return 0;
}

int catalog_file(struct catalog *catalog, const char *path, const struct library_file **file) {
    u32 bucket = bucket_of(path);
    pthread_mutex_lock(&catalog->lock);
    struct known_path *known = catalog->paths[bucket];
    while (known && strcmp(known->path, path) != 0)
        known = known->next;
    if (!known) {
        known = must_alloc(1, sizeof *known);
        known->path = must_format("%s", path);
        known->error = open_library(catalog, path, &known->file);
        known->next = catalog->paths[bucket];
        catalog->paths[bucket] = known;
    }
    pthread_mutex_unlock(&catalog->lock);
    *file = known->file;
    return known->error;
}

/* A new file in its place is no change: what was opened is whole. */
static bool is_changed(const struct catalog *catalog, const struct library_file *file) {
    struct stat st;
    if (file->mapped && steady_lost(file->mapped))
        return true;
    return stat_inside(catalog, file->path, &st) == 0 && st.st_ino == file->ino && st.st_dev == file->dev &&
           ((u64)st.st_size != file->len || st.st_mtim.tv_sec != file->written.tv_sec || st.st_mtim.tv_nsec != file->written.tv_nsec);
}

void catalog_changed(struct catalog *catalog, void (*tell)(const struct library_file *, void *), void *arg) {
    pthread_mutex_lock(&catalog->lock);
    for (u32 i = 0; i < BUCKETS; i++)
        for (const struct known_file *known = catalog->files[i]; known; known = known->next)
            if (is_changed(catalog, &known->file))
                tell(&known->file, arg);
    pthread_mutex_unlock(&catalog->lock);
}

/* ---- directories ------------------------------------------------------------------------------------------------------- */

static struct known_dir *dir_of(struct catalog *catalog, const char *path) {
    u32 bucket = bucket_of(path);
    pthread_mutex_lock(&catalog->lock);
    struct known_dir *known = catalog->dirs[bucket];
    while (known && strcmp(known->path, path) != 0)
        known = known->next;
    if (!known) {
        struct stat st;
        known = must_alloc(1, sizeof *known);
        known->path = must_format("%s", path);
        if (stat_inside(catalog, path, &st) == 0 && S_ISDIR(st.st_mode)) {
            known->present = true;
            known->mode = st.st_mode;
            known->owner = st.st_uid;
        }
        known->next = catalog->dirs[bucket];
        catalog->dirs[bucket] = known;
    }
    pthread_mutex_unlock(&catalog->lock);
    return known;
}

bool catalog_is_dir(struct catalog *catalog, const char *path) { return dir_of(catalog, path)->present; }

bool catalog_dir_mode(struct catalog *catalog, const char *path, mode_t *mode, uid_t *owner) {
    const struct known_dir *dir = dir_of(catalog, path);
    *mode = dir->mode;
    *owner = dir->owner;
    return dir->present;
}

bool catalog_exists(struct catalog *catalog, const char *path) {
    struct stat st;
    return stat_inside(catalog, path, &st) == 0;
}
