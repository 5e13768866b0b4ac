/* files.h - the files that processes map, each opened once: is it an ELF object, and what are its segments? */
#ifndef LDR_HOST_FILES_H
#define LDR_HOST_FILES_H

#include "../pages/pages.h"
#include "proc.h"

enum file_kind {
    FILE_UNCLEAR, /* cannot be opened: taken for an ELF object once some process can execute it */
    FILE_ELF,
    FILE_OTHER,
};

enum { NO_OBJECT = UINT32_MAX, FILE_BUCKETS = 1024 };

struct mapped_file {
    uint64_t dev, ino;
    enum file_kind kind;
    uint32_t object; /* index into objects, NO_OBJECT until it is known to be one */
    uint32_t next;   /* in the bucket */
    char *path;
    struct shape shape; /* moves to the object, and so do the bytes */
    const void *bytes;  /* of an ELF file, mapped; NULL otherwise */
    size_t len;
};

struct files {
    struct mapped_file *list;
    size_t count, room;
    uint32_t buckets[FILE_BUCKETS];
    struct object *objects;
    size_t object_count;
};

void files_start(struct files *files);

/* files_find - index of the file mapped by this line of the maps of proc; opened and read if it is new */
uint32_t files_find(struct files *files, int proc, const struct map_line *line);

/* files_object - index of the file's object; makes one if needed */
uint32_t files_object(struct files *files, uint32_t file);

/* Frees the list of files; the objects are the caller's from here on. */
void files_end(struct files *files);

#endif
