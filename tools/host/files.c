/* files.c - mapped files by (device, inode), each looked into once.
 *
 * A path from maps may be wrong for us: another mount namespace, a deleted or replaced file. So the file is opened through
 * /proc/PID/map_files (the very file, needs privilege), else by path inside the process's root, and then only
 * believed if the inode and the file system agree.
 */
#include "files.h"
#include "../ldr.h"
#include "mounts.h"
#include "pack.h"
#include "shape.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

void files_start(struct files *files, const struct kernel *kernel, bool all) {
    *files = (struct files){ .kernel = kernel, .all = all };
    for (size_t i = 0; i < FILE_BUCKETS; i++)
        files->buckets[i] = NO_OBJECT;
    files->anonymous = files->vdso = NO_OBJECT;
}

static size_t bucket_of(uint64_t dev, uint64_t ino) {
    return ((dev * 31 + ino) * UINT64_C(0x9e3779b97f4a7c15) >> 40) % FILE_BUCKETS;
}

/* Regular files only, looked at before opening: opening a device can do something. */
static int open_regular(int folder, const char *path, uint64_t ino) {
    struct stat st;
    if (fstatat(folder, path, &st, 0) != 0 || !S_ISREG(st.st_mode) || st.st_ino != ino)
        return -1;
    int fd = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd >= 0 && (fstat(fd, &st) != 0 || st.st_ino != ino)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* The same, of a name that may lead to another file by now: inode numbers are few, and many file systems begin with the same. */
static int open_on_device(int proc, int folder, const char *path, const struct map_line *line) {
    struct stat st;
    int fd = open_regular(folder, path, line->ino);
    if (fd >= 0 && (fstat(fd, &st) != 0 || (st.st_dev != line->dev && !mount_holds(proc, fd, line->dev)))) {
        close(fd);
        return -1;
    }
    return fd;
}

static int open_mapped(int proc, const struct map_line *line) {
    char name[64];
    snprintf(name, sizeof name, "map_files/%lx-%lx", line->start, line->end);
    int fd = open_regular(proc, name, line->ino);
    if (fd < 0) {
        char *path = must_format("root%s", line->path);
        fd = open_on_device(proc, proc, path, line);
        free(path);
    }
    if (fd < 0)
        fd = open_on_device(proc, AT_FDCWD, line->path, line);
    if (fd < 0)
        fd = open_on_device(proc, proc, "exe", line);
    return fd;
}

/* Stat of what is mapped, without opening it; false when it cannot be found. */
static bool stat_mapped(int proc, const struct map_line *line, struct stat *st) {
    char name[64];
    snprintf(name, sizeof name, "map_files/%lx-%lx", line->start, line->end);
    return fstatat(proc, name, st, 0) == 0 || (line->path[0] == '/' && stat(line->path, st) == 0);
}

/* Of a file that cannot be opened, deleted ones above all. */
static enum object_kind sort_of_device(const struct files *files, int proc, uint64_t dev) {
    char type[16];
    if (dev == files->kernel->shared_dev)
        return OBJECT_SHARED;
    if (files->kernel->hugetlb_dev && dev == files->kernel->hugetlb_dev)
        return OBJECT_HUGETLB;
    if (!mount_type(proc, dev, type, sizeof type))
        return OBJECT_FILE;
    return strcmp(type, "tmpfs") == 0 ? OBJECT_SHARED : strcmp(type, "hugetlbfs") == 0 ? OBJECT_HUGETLB : OBJECT_FILE;
}

static enum object_kind sort_of_open(const struct files *files, int proc, int fd, uint64_t dev) {
    struct statfs fs;
    if (fstatfs(fd, &fs) != 0)
        return sort_of_device(files, proc, dev);
    return fs.f_type == TMPFS_MAGIC ? OBJECT_SHARED : fs.f_type == HUGETLBFS_MAGIC ? OBJECT_HUGETLB : OBJECT_FILE;
}

/* A private mapping of /dev/zero is memory like any other. */
static enum object_kind sort_of_special(const struct stat *st) {
    return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 5) ? OBJECT_ANONYMOUS : OBJECT_DEVICE;
}

/* The bytes stay mapped, not the descriptor open: there are fewer descriptors than files that a machine's processes map. A file
 * that is cut short while it is read is a SIGBUS (guard.h). */
static void map_bytes(struct mapped_file *file, int fd) {
    struct stat st;
    if (fstat(fd, &st) != 0 || st.st_size <= 0)
        return;
    void *at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (at == MAP_FAILED)
        return;
    file->bytes = at;
    file->len = (size_t)st.st_size;
}

/* Whether the name leads to the file for us too: anybody may give it another one in a mount namespace of their own, or remove it. */
static bool is_here(int proc, const char *name, const struct map_line *line) {
    struct stat st;
    int fd = name[0] == '/' ? open(name, O_PATH | O_CLOEXEC) : -1;
    bool here = fd >= 0 && fstat(fd, &st) == 0 && st.st_ino == line->ino && (st.st_dev == line->dev || mount_holds(proc, fd, line->dev));
    if (fd >= 0)
        close(fd);
    return here;
}

/* One file may be mapped by several names (hard links, mount namespaces). One that leads to it here; of several such, or of none, the
 * shortest, and the first by its letters of those: or the report would name a file by whichever process happened to be read first. */
static void also_named(struct files *files, struct mapped_file *file, int proc, const struct map_line *line) {
    char **path = file->object == NO_OBJECT ? &file->path : &files->objects[file->object].path;
    int order = strcmp(line->path, *path);
    if (order == 0)
        return;
    if (file->named == NAMED_UNASKED)
        file->named = is_here(proc, *path, line) ? NAMED_HERE : NAMED_ELSEWHERE;
    size_t length = strlen(line->path), now = strlen(*path);
    bool better = length < now || (length == now && order < 0);
    if (file->named == NAMED_HERE && !better)
        return;
    bool here = is_here(proc, line->path, line);
    if (file->named == NAMED_HERE ? !here : !here && !better)
        return;
    free(*path);
    *path = must_format("%s", line->path);
    file->named = here ? NAMED_HERE : NAMED_ELSEWHERE;
}

uint32_t files_find(struct files *files, int proc, const struct map_line *line) {
    size_t bucket = bucket_of(line->dev, line->ino);
    for (uint32_t i = files->buckets[bucket]; i != NO_OBJECT; i = files->list[i].next)
        if (files->list[i].ino == line->ino && files->list[i].dev == line->dev) {
            also_named(files, &files->list[i], proc, line);
            return i;
        }
    if (files->count == files->room)
        files->list = must_grow(files->list, files->room = files->room * 2 + 256, sizeof *files->list);
    struct mapped_file *file = &files->list[files->count];
    *file = (struct mapped_file){ .dev = line->dev, .ino = line->ino, .object = NO_OBJECT, .next = files->buckets[bucket] };
    files->buckets[bucket] = (uint32_t)files->count;
    int fd = open_mapped(proc, line);
    struct stat st;
    if (fd >= 0) {
        file->kind = shape_read(fd, &file->shape) ? FILE_ELF : pack_is(fd) ? FILE_IMAGES : FILE_OTHER;
        file->sort = file->kind == FILE_IMAGES ? OBJECT_IMAGES : sort_of_open(files, proc, fd, line->dev);
        if (file->kind != FILE_OTHER || files->all)
            map_bytes(file, fd);
        close(fd);
    } else if (stat_mapped(proc, line, &st) && !S_ISREG(st.st_mode)) {
        file->kind = FILE_OTHER;
        file->sort = sort_of_special(&st);
    } else if (line->path[0] != '/' && line->path[0] != '[') { /* "anon_inode:[perf_event]" */
        file->kind = FILE_OTHER;
        file->sort = OBJECT_DEVICE;
    } else {
        file->kind = FILE_UNCLEAR;
        file->sort = sort_of_device(files, proc, line->dev);
    }
    file->path = must_format("%s", line->path);
    return (uint32_t)files->count++;
}

void files_executable(struct files *files, uint32_t index) {
    struct mapped_file *file = &files->list[index];
    if (file->kind == FILE_UNCLEAR && file->object == NO_OBJECT) {
        file->kind = FILE_ELF;
        files->turned_out++;
    }
}

static uint32_t add_object(struct files *files, struct object object) {
    if (files->object_count == files->object_room)
        files->objects = must_grow(files->objects, files->object_room = files->object_room * 2 + 64, sizeof *files->objects);
    files->objects[files->object_count] = object;
    return (uint32_t)files->object_count++;
}

uint32_t files_memory(struct files *files, enum object_kind kind) {
    uint32_t *index = kind == OBJECT_VDSO ? &files->vdso : &files->anonymous;
    if (*index == NO_OBJECT)
        *index = add_object(files, (struct object){ .kind = kind, .path = must_format(kind == OBJECT_VDSO ? "[vdso]" : "[anonymous]") });
    return *index;
}

uint32_t files_object(struct files *files, uint32_t index) {
    struct mapped_file *file = &files->list[index];
    if (file->kind != FILE_ELF && file->sort == OBJECT_ANONYMOUS)
        return files_memory(files, OBJECT_ANONYMOUS);
    if (file->object == NO_OBJECT) {
        file->object = add_object(files, (struct object){ .kind = file->kind == FILE_ELF ? OBJECT_ELF : file->sort, .dev = file->dev,
                                                          .ino = file->ino, .path = file->path, .shape = file->shape,
                                                          .file = file->bytes, .file_len = file->len });
        file->path = NULL;
        file->bytes = NULL;
        file->shape = (struct shape){ 0 };
    }
    return file->object;
}

void files_end(struct files *files) {
    for (size_t i = 0; i < files->count; i++) {
        free(files->list[i].path);
        free(files->list[i].shape.loads);
        if (files->list[i].bytes)
            munmap((void *)files->list[i].bytes, files->list[i].len);
    }
    free(files->list);
    files->list = NULL;
    files->count = 0;
}
