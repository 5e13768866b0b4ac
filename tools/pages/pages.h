/* pages.h - page arithmetic without I/O: what page-table words of several processes say about shared physical pages.
 *
 * Input is a snapshot: objects (files, with what their program headers say), owners (address spaces) and, per owner, runs of
 * pages with their /proc/PID/pagemap words. Output is a tally of exact integers. host/collect.c fills the first,
 * cmd_pages.c prints the second; everything between is here, so that tests can build snapshots by hand.
 *
 * Words (see facts on each in the functions that use them):
 *   page     one present page-table entry of one owner ("mapped page")
 *   frame    one physical page
 *   owner    one address space: a process, or several that share one (CLONE_VM)
 *   shared   a frame with two or more owners among those measured
 *   again    a page whose frame the same owner maps already elsewhere (one process mapping a file page twice)
 *   avoided  a page that found its frame in place because another owner has it: a copy that was not needed
 * Each page is exactly one of: first of its frame, again, avoided. So  pages = frames + avoided + again.
 */
#ifndef LDR_PAGES_H
#define LDR_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cause.h"

enum { PAGE_SHIFT = 12 };
#define PAGE_LEN ((uint64_t)1 << PAGE_SHIFT)

/* ---- segments.c: which part of an ELF object is at this address ---- */

enum segment_kind {
    SEGMENT_CODE,      /* PT_LOAD with PF_X */
    SEGMENT_CONSTANTS, /* PT_LOAD neither writable nor executable */
    SEGMENT_RELRO,     /* whole pages of PT_GNU_RELRO inside a writable PT_LOAD */
    SEGMENT_DATA,      /* the rest of a writable PT_LOAD */
    SEGMENT_OTHER,     /* file bytes mapped where no PT_LOAD puts them (a debugger reading the file, a gap) */
    SEGMENT_KINDS
};
const char *segment_name(enum segment_kind kind);

enum { ACCESS_READ = 4, ACCESS_WRITE = 2, ACCESS_EXEC = 1 }; /* as PF_R, PF_W, PF_X */

struct load {
    uint64_t vaddr, off, filesz; /* as in the file, bytes */
    uint32_t flags;              /* PF_* */
    uint64_t memsz;
};

/* What the program headers of one file say. known is false when they could not be read; then the permissions of each
 * mapping are all there is, and the report says so. */
struct shape {
    bool known;
    struct load *loads; /* ascending by vaddr, owned by whoever read the file */
    size_t load_count;
    uint64_t relro_vaddr, relro_len;
};

/* One line of /proc/PID/maps that maps a file. */
struct vma {
    uint64_t start, end; /* addresses, page aligned */
    uint64_t off;        /* file offset of start, page aligned */
    uint32_t access;     /* ACCESS_* */
    uint32_t object;     /* index into the snapshot's objects */
};

/* shape_explains - does an image loaded with this bias have, at the vma's first page, the file page found there? */
bool shape_explains(const struct shape *shape, uint64_t bias, const struct vma *vma);

/* shape_find_bias - load bias (address minus vaddr) under which vma is part of an image of this shape.
 *   A file page can belong to two PT_LOADs (the last page of the constants and the first of the data are often one page
 *   of the file): the one whose flags equal the vma's access wins, then the first in the file.
 *   returns false when no PT_LOAD holds the vma's file offset */
bool shape_find_bias(const struct shape *shape, const struct vma *vma, uint64_t *bias);

/* shape_kind_at - which segment is mapped at addr, in an image loaded with bias; file_off is the file offset found there
 *   out     len     bytes from addr on that are of the same kind: whole pages, at least one, at most max (page aligned) */
enum segment_kind shape_kind_at(const struct shape *shape, uint64_t bias, uint64_t addr, uint64_t file_off, uint64_t max,
                                uint64_t *len);

/* shape_data_len - of the page at vaddr, bytes up to the end of its segment's file data: less than a page where the segment
 * goes on in memory (.bss), because the linker then clears the rest of the page */
size_t shape_data_len(const struct shape *shape, uint64_t vaddr);

/* kind_by_access - the best guess when the shape is unknown */
enum segment_kind kind_by_access(uint32_t access);

/* ---- snapshot: what collect.c hands over ---- */

struct object {
    uint64_t dev, ino;
    char *path;          /* as the first owner's maps had it */
    struct shape shape;
    const void *file;    /* its bytes, mapped; NULL when it could not be opened */
    size_t file_len;
};

/* Pages that follow each other in memory, in one file and in one segment. */
struct run {
    uint64_t addr;
    uint64_t file_page; /* file offset >> PAGE_SHIFT */
    size_t pages;
    size_t word;        /* of the first page, index into the owner's words */
    uint64_t bias;      /* address minus vaddr of the image it is part of; 0 where no segment maps it */
    uint32_t object;
    enum segment_kind kind;
};

struct owner {
    struct run *runs;
    size_t run_count;
    uint64_t *words; /* pagemap words, one per page of all runs */
    size_t word_count;
    uint8_t *causes; /* enum page_cause of every word that is a private copy; NULL: all unknown */
};

enum method {
    METHOD_FRAMES,   /* frame numbers: needs CAP_SYS_ADMIN, exact for every page */
    METHOD_IDENTITY, /* (file, page of the file): exact for file pages, a bound for copies shared by fork */
};

struct snapshot {
    enum method method;
    struct object *objects;
    size_t object_count;
    struct owner *owners;
    size_t owner_count;
    uint64_t zero_frame; /* frame number of the kernel's zero page, 0 = unknown */
};

/* ---- frames.c: a set of frames and who owns each ---- */

struct frame {
    uint64_t key;
    uint32_t owners;     /* distinct */
    uint32_t last_owner; /* owners are added one after the other, so one memory is enough to count them */
    uint32_t row;        /* the row that mapped it first */
    bool anonymous;      /* a copy, not a page of the file */
    uint8_t cause;       /* enum page_cause of the page that was first of its frame */
};

struct frame_row { /* a frame that a second, third... row maps too */
    uint64_t key;
    uint32_t row;
};

struct frame_set {
    struct frame *slots; /* open addressing; owners == 0 marks an empty slot */
    size_t slot_count, count;
    struct frame_row *more;
    size_t more_slots, more_count; /* open addressing; row == FRAME_NO_ROW marks an empty slot */
};
#define FRAME_NO_ROW UINT32_MAX

enum frame_event { FRAME_FIRST, FRAME_AGAIN, FRAME_AVOIDED };

void frame_set_free(struct frame_set *set);

/* frame_add - owner maps the frame in row. All pages of one owner must be added before the next owner's.
 * anonymous and cause are remembered from the first page. */
enum frame_event frame_add(struct frame_set *set, uint64_t key, uint32_t owner, uint32_t row, bool anonymous,
                           enum page_cause cause);
const struct frame *frame_find(const struct frame_set *set, uint64_t key);

/* ---- tally.c: snapshot to numbers ---- */

struct counts {
    uint64_t pages;          /* = frames first counted here + avoided + again */
    uint64_t avoided;
    uint64_t again;
    uint64_t frames;         /* distinct: = shared + alone + private_copies */
    uint64_t shared;         /* two or more owners; of these: */
    uint64_t shared_copies;  /*   anonymous: inherited by fork and not yet written, or merged by KSM */
    uint64_t alone;          /* page of the file that one owner maps */
    uint64_t private_copies; /* copy-on-write copy that one owner has: = sum of causes */
    uint64_t causes[CAUSES]; /* private_copies by what made them; indexed by enum page_cause */
    uint64_t unresolved;     /* private_copies that are shared with somebody only frame numbers could name */
    uint64_t swapped;        /* pages not in memory but in swap; in none of the above */
};

struct tally {
    struct counts *rows;    /* [object * SEGMENT_KINDS + kind]; frames are distinct within the row */
    struct counts *objects; /* frames are distinct within the object */
    uint32_t *object_owners; /* owners with a page of the object */
    uint32_t *row_owners;
    struct counts *owners;  /* per owner: frames are its own distinct ones, shared as in the whole snapshot */
    struct counts kinds[SEGMENT_KINDS]; /* sums over the rows of each kind */
    struct counts total;    /* frames are distinct over everything */
    uint64_t rows_overlap;  /* sum of the rows' frames minus total.frames: frames that several rows map */
    uint64_t zero_pages;    /* left out */
};

void tally_make(struct tally *tally, const struct snapshot *snapshot);
void tally_free(struct tally *tally);

/* ---- pagemap words (Documentation/admin-guide/mm/pagemap.rst) ---- */

#define PM_PRESENT (UINT64_C(1) << 63)
#define PM_SWAPPED (UINT64_C(1) << 62)
#define PM_FILE (UINT64_C(1) << 61)      /* page of a file, or shared anonymous memory */
#define PM_EXCLUSIVE (UINT64_C(1) << 56)
#define PM_FRAME ((UINT64_C(1) << 55) - 1)

/* The bits that say where a page is; the others (soft-dirty, write-protection, the exclusive hint when frame numbers are
 * there) may change without anything moving. */
static inline uint64_t word_place(uint64_t word, enum method method) {
    uint64_t keep = PM_PRESENT | PM_SWAPPED | PM_FILE | (method == METHOD_FRAMES ? PM_FRAME : PM_EXCLUSIVE);
    return word & (PM_PRESENT | PM_SWAPPED) ? word & keep : 0;
}

#endif
