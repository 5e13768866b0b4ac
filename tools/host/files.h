/* files.h - the files that processes map, each opened once: is it an ELF object, and what are its segments?
 * Not for several threads at once. */
#ifndef LDR_HOST_FILES_H
#define LDR_HOST_FILES_H

#include "../pages/pages.h"
#include "kernel.h"
#include "proc.h"

enum file_kind {
    FILE_UNCLEAR, /* cannot be opened: taken for an ELF object once some process can execute it */
    FILE_ELF,
    FILE_IMAGES,  /* a pack of the linker's cache */
    FILE_OTHER,
};

enum { NO_OBJECT = UINT32_MAX, FILE_BUCKETS = 1024 };

struct mapped_file {
    uint64_t dev, ino;
    enum file_kind kind;
    enum object_kind sort; /* what it is if it is no ELF object */
    uint32_t object; /* index into objects, NO_OBJECT until it is known to be one */
    uint32_t next;   /* in the bucket */
    char *path;
    enum named { NAMED_UNASKED, NAMED_HERE, NAMED_ELSEWHERE } named; /* whether the path leads to it for us too; asked when there is another one */
    struct shape shape; /* moves to the object, and so do the bytes */
    const void *bytes;  /* of an ELF file, mapped; NULL otherwise */
    size_t len;
};

struct files {
    struct mapped_file *list;
    size_t count, room;
    uint32_t buckets[FILE_BUCKETS];
    const struct kernel *kernel; /* borrowed */
    uint64_t turned_out;         /* how often an unclear file turned out to be an ELF object */
    struct object *objects;
    size_t object_count, object_room;
    uint32_t anonymous, vdso;    /* objects of files_memory, NO_OBJECT until they are needed */
    bool all;                    /* files that are no ELF objects are wanted too */
};

void files_start(struct files *files, const struct kernel *kernel, bool all);

/* files_find - index of the file mapped by this line of the maps of proc; opened and read if it is new */
uint32_t files_find(struct files *files, int proc, const struct map_line *line);

/* files_executable - some process can execute the file: if unclear, it is an ELF object from now on, unless it is an object of
 * another kind already */
void files_executable(struct files *files, uint32_t file);

/* files_object - index of the file's object; makes one if needed */
uint32_t files_object(struct files *files, uint32_t file);

/* files_memory - index of the object that stands for all memory of this kind without a file: OBJECT_ANONYMOUS or OBJECT_VDSO */
uint32_t files_memory(struct files *files, enum object_kind kind);

/* Frees the list of files; the objects are the caller's from here on. */
void files_end(struct files *files);

#endif
