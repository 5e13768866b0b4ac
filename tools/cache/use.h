/* use.h - who runs from the cache at this moment, and what that saves. In plain numbers, because the linker's types and those of the page
 * report have names in common. */
#ifndef LDR_CACHE_USE_H
#define LDR_CACHE_USE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct use_file {                     /* a record or pack in the directory */
    uint64_t ino;
    size_t users;                     /* out: processes that map it now */
};
struct use_range {                    /* pages of a pack that belong to an image */
    uint64_t ino, page, pages;
    uint32_t image;
};
struct use_image {                    /* out */
    uint64_t users;                   /* processes with a page of it in memory */
    uint64_t mapped;                  /* pages of it in their page tables, their own copies not counted */
    uint64_t saved;                   /* mapped, without the one frame that each page needs */
};
struct use {
    size_t processes;                 /* with a pack mapped */
    size_t unreadable;                /* processes of this user that may have, and cannot be looked into */
    uint64_t mapped, saved;           /* pages, over all images */
    bool exact;                       /* by frame numbers, and nothing moved between two readings */
};

/* use_read - asks every process.
 *   in      dir                  open directory of the cache
 *           name                 of a file in it, to learn the device that maps show
 *           ranges               ascending by ino and page
 *   in/out  files                ascending by ino; users set
 *   out     images               zeroed by the caller, one for each number in the ranges
 *   returns false when the file cannot be mapped: nobody else can then have it, and all is zero */
bool use_read(int dir, const char *name, struct use_file *files, size_t file_count, const struct use_range *ranges, size_t range_count, struct use_image *images,
              size_t image_count, struct use *use);

#endif
