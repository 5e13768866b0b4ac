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
 *   won      frames that need not be if something were otherwise (won.c): they are there now
 * Each page is exactly one of: first of its frame, again, avoided. So  pages = frames + avoided + again.
 * The zero page, the vDSO, the kernel's rings and what devices map are counted by class only: they are nobody's memory.
 */
#ifndef LDR_PAGES_H
#define LDR_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cause.h"
#include "digest.h"

enum { PAGE_SHIFT = 12 };
#define PAGE_LEN ((uint64_t)1 << PAGE_SHIFT)

/* ---- segments.c: which part of an ELF object is at this address ---- */

enum segment_kind {
    SEGMENT_CODE,      /* PT_LOAD with PF_X */
    SEGMENT_CONSTANTS, /* PT_LOAD neither writable nor executable */
    SEGMENT_RELRO,     /* whole pages of PT_GNU_RELRO inside a writable PT_LOAD */
    SEGMENT_DATA,      /* the rest of a writable PT_LOAD */
    SEGMENT_OTHER,     /* file bytes mapped where no PT_LOAD puts them (a debugger reading the file, a gap) */
    /* the others only with SCOPE_ALL */
    SEGMENT_BSS,       /* memory without file bytes behind the data of an ELF object */
    SEGMENT_FILE,      /* a file that is no ELF object */
    SEGMENT_SHARED,    /* memory made to be shared: memfd, tmpfs, System V, MAP_SHARED | MAP_ANONYMOUS */
    SEGMENT_HEAP,      /* what brk gave */
    SEGMENT_STACK,     /* the first thread's */
    SEGMENT_ANONYMOUS, /* any other memory without a file, further threads' stacks included */
    SEGMENT_VDSO,      /* the kernel's own code, mapped into every process */
    SEGMENT_HUGETLB,   /* from the pool of huge pages; the kernel keeps it out of RSS */
    SEGMENT_DEVICE,    /* mapped from a device, or from the kernel's own files without a name: no memory of the process */
    SEGMENT_IMAGES,    /* a pack of the linker's cache, pages of no known object */
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

/* One line of /proc/PID/maps. */
struct vma {
    uint64_t start, end; /* addresses, page aligned */
    uint64_t off;        /* file offset of start, page aligned; 0 without a file */
    uint16_t access;     /* ACCESS_* */
    uint16_t kind;       /* enum segment_kind; of an ELF object SEGMENT_OTHER, its shape tells more */
    uint32_t object;     /* index into the snapshot's objects */
};

/* shape_explains - does an image loaded with this bias have, at the vma's first page, the file page found there? */
bool shape_explains(const struct shape *shape, uint64_t bias, const struct vma *vma);

/* shape_bias_by - the bias under which the vma's first page belongs to this PT_LOAD; false when that has not its file page */
bool shape_bias_by(const struct shape *shape, size_t load_index, const struct vma *vma, uint64_t *bias);

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

/* shape_image_at - the same for the writable segments alone, as an image of the linker's cache holds them; SEGMENT_KINDS where there
 * is none. `file_page` becomes the page of the object's own file, for pages that have one. */
enum segment_kind shape_image_at(const struct shape *shape, uint64_t bias, uint64_t addr, uint64_t max, uint64_t *len, uint64_t *file_page);

/* kind_by_access - the best guess when the shape is unknown */
enum segment_kind kind_by_access(uint32_t access);

/* ---- snapshot: what collect.c hands over ---- */

enum object_kind {
    OBJECT_ELF,       /* a program or library */
    OBJECT_FILE,      /* the others only with SCOPE_ALL; another file */
    OBJECT_SHARED,    /* shared memory, one object for each */
    OBJECT_ANONYMOUS, /* all memory without a file: one object */
    OBJECT_VDSO,
    OBJECT_HUGETLB,
    OBJECT_DEVICE,
    OBJECT_IMAGES,    /* a pack of the linker's cache (ldr/cache/format.h): its pages count for the objects they are images of */
};

enum { BUILD_ID_LEN = 32 };
struct object {
    enum object_kind kind;
    uint64_t dev, ino;
    char *path;          /* as its owners' maps have it: the shortest, of several */
    struct shape shape;
    const void *file;    /* its bytes, mapped; NULL when it could not be opened */
    size_t file_len;
    bool unexplained;    /* it has private copies, and what made them is not known because of the file */
    uint8_t build_id[BUILD_ID_LEN]; /* as the file says; the rest zeros */
    uint8_t build_id_len;           /* 0: it has none that was found, or a longer one */
};

/* Pages that follow each other in memory, in one file and in one segment. */
struct run {
    uint64_t addr;
    uint64_t file_page; /* file offset >> PAGE_SHIFT */
    size_t pages;
    size_t word;        /* of the first page, index into the owner's words */
    uint64_t bias;      /* address minus vaddr of the image it is part of; 0 where no segment maps it */
    uint32_t object;
    uint32_t pack;      /* 0, or 1 + the object whose file the pages are in: a pack of the linker's cache, which holds the object's
                           writable pages as relocation left them */
    uint64_t pack_page; /* their file page there */
    enum segment_kind kind;
    uint8_t access;     /* ACCESS_* of the mapping */
    bool huge;          /* every page is mapped by an entry of 2 MiB or more */
    bool zero;          /* every page is the zero page, said by other means than its frame number */
};

enum method {
    METHOD_FRAMES,   /* frame numbers: needs CAP_SYS_ADMIN, exact for every page */
    METHOD_IDENTITY, /* (file, page of the file): exact for file pages, a bound for copies shared by fork */
    METHOD_SMAPS,    /* the kernel's sums for each mapping: owners have no runs, and nobody knows who shares what */
};

/* What a private copy that only relocation made holds. */
struct content {
    size_t word;        /* index into the owner's words */
    struct digest digest;
};

struct owner {
    struct run *runs;  /* ascending by address */
    size_t run_count;
    uint32_t *words;   /* one per page of all runs, see words.c; owned */
    size_t word_count;
    uint64_t *wide;    /* words that do not fit; owned */
    uint32_t wide_count, wide_room;
    struct content *contents; /* in the order they were read: of several for one word the last holds, if the word's cause is
                                 relocation still; owned */
    size_t content_count, content_room;
};

/* ---- words.c: pagemap words in half their size, the cause of a private copy beside ---- */

/* words_make - room for word_count words, all absent. 10 million pages take 40 MB. */
void words_make(struct owner *owner, size_t word_count);
void words_free(struct owner *owner);
/* word_get - the word as word_place made it (after pagemap's bits, below) */
static inline uint64_t word_get(const struct owner *owner, enum method method, size_t at);
/* word_set - true when it differs from what was there; its cause is unknown then */
bool word_set(struct owner *owner, enum method method, size_t at, uint64_t place);
static inline enum page_cause cause_get(const struct owner *owner, size_t at);
void cause_set(struct owner *owner, size_t at, enum page_cause cause);
/* content_add - what the page holds, told when its cause becomes relocation */
void content_add(struct owner *owner, size_t at, struct digest digest);

enum scope {
    SCOPE_ELF, /* mappings of programs and libraries */
    SCOPE_ALL, /* every mapping */
};

struct snapshot {
    enum method method;
    enum scope scope;
    struct object *objects;
    size_t object_count;
    struct owner *owners;
    size_t owner_count;
    uint64_t zero_frame; /* frame number of the kernel's zero page, 0 = unknown */
    uint64_t huge_zero_frame; /* first of the 512 frames of its huge zero page, 0 = unknown or none */
    uint64_t *merged;    /* frames that KSM merged, ascending; owned by whoever collected them */
    size_t merged_count;
};

/* ---- aliases.c: one file under several devices, when only file identity is known ---- */

/* objects_may_be_one - same inode and build-id (without one: length and name) under two devices */
bool objects_may_be_one(const struct object *a, const struct object *b);
/* objects_unsure - objects that may be one with another; 0 with METHOD_FRAMES, where it does not matter */
uint64_t objects_unsure(const struct snapshot *snapshot);

/* ---- classes.c: what a page is; each mapped or swapped page is in exactly one class ---- */

enum page_class {
    CLASS_FILE_SHARED,  /* page of a file that two or more owners map */
    CLASS_FILE_ALONE,   /* page of a file that one owner maps */
    CLASS_IMAGE_SHARED, /* likewise of a pack of the linker's cache: a page of RELRO or data, relocated once for all */
    CLASS_IMAGE_ALONE,
    CLASS_SHARED_MEMORY_SHARED, /* likewise of shared memory */
    CLASS_SHARED_MEMORY_ALONE,
    CLASS_FORK_SHARED,  /* memory or copy that two or more owners map: inherited by fork and not written since */
    CLASS_MERGED,       /* by KSM */
    CLASS_PRIVATE_RELOCATION, /* one owner's copy of a page of a file, by cause */
    CLASS_PRIVATE_RELOCATION_AND_WRITE,
    CLASS_PRIVATE_WRITE,
    CLASS_PRIVATE_IDENTICAL,
    CLASS_PRIVATE_UNKNOWN,
    CLASS_BSS,          /* one owner's memory, by place */
    CLASS_HEAP,
    CLASS_STACK,
    CLASS_ANONYMOUS,
    CLASS_HUGE,         /* one owner's memory at any of these places, in a transparent huge page mapped as such */
    CLASS_SWAPPED,      /* in swap, one owner's */
    CLASS_SWAPPED_SHARED, /* in a swap slot that two or more owners refer to */
    CLASS_VDSO,
    CLASS_INSERTED,     /* of the kernel or a driver, put into the process's page table: rings of AIO, io_uring, packet sockets */
    CLASS_ZERO,         /* the zero page: read, never written. The kernel counts it in no RSS; nor the next two */
    CLASS_HUGETLB,
    CLASS_DEVICE,
    CLASSES,
    CLASS_ABSENT = CLASSES /* no page there */
};
/* class_key - as JSON and CSV name it: "file_shared"; class_title - as people do: "file page, shared" */
const char *class_key(enum page_class class);
const char *class_title(enum page_class class);

/* class_is_resident - is it in the kernel's RSS of the process? Together with the swapped ones that are all of RSS and swap. */
bool class_is_resident(enum page_class class);
bool class_is_swapped(enum page_class class);

/* ---- sets.c: sets of owners, each kept once ----
 * Owners are added in ascending order, so a set is a path from the root of a tree, and adding the next owner is a step down.
 * Ten thousand frames that the same hundred processes map are ten thousand references to one node. */

struct owner_set {
    uint32_t parent; /* the set without the last owner */
    uint32_t owner;  /* the last one */
    uint32_t size;
    uint32_t newest; /* the child made last, 0 = none */
};
struct owner_sets {
    struct owner_set *list; /* [0] is the empty set; owned */
    uint32_t count, room;
};
void owner_sets_free(struct owner_sets *sets);
/* owner_set_with - the set and one owner more, which must be its last or come after that */
uint32_t owner_set_with(struct owner_sets *sets, uint32_t set, uint32_t owner);

/* ---- lists.c: sets of owners that a report names, each once ---- */

struct owner_list { size_t first; uint32_t count; }; /* its owners, ascending, in owner_lists.owners */
struct owner_lists {
    struct owner_list *list;
    uint32_t count, room;
    uint32_t *owners;
    size_t owner_count, owner_room;
    uint32_t *slots; /* open addressing; index + 1 */
    size_t slot_count;
};
/* owner_lists_add - the index of this set, which is added if it is new */
uint32_t owner_lists_add(struct owner_lists *lists, const struct owner_sets *sets, uint32_t set);
void owner_lists_free(struct owner_lists *lists);

/* ---- frames.c: a set of frames and who owns each ---- */

struct frame {
    uint32_t set;           /* of owners; 0 marks a frame that nobody maps */
    uint32_t row : 24;      /* the row that mapped it first */
    uint32_t cause : 3;     /* enum page_cause of the page that was first of its frame */
    uint32_t anonymous : 1; /* a copy or memory, not a page of a file */
    uint32_t again : 1;     /* some owner maps it twice */
    uint32_t merged : 1;    /* by KSM */
};

struct frame_row { /* a frame that a second, third... row maps too */
    uint64_t key;
    uint32_t row;
};

enum { FRAME_LEAF = 16 }; /* frames whose keys differ in the last bits only lie together: frame numbers come in sequences */
struct frame_set {
    struct frame *frames;  /* [leaf * FRAME_LEAF + key % FRAME_LEAF] */
    uint64_t *leaf_keys;   /* key / FRAME_LEAF of each leaf */
    size_t leaf_count, leaf_room;
    uint32_t *directory;   /* open addressing by leaf key: leaf + 1, 0 marks an empty slot */
    size_t directory_slots;
    size_t count;
    struct owner_sets sets;
    struct frame_row *more;
    size_t more_slots, more_count; /* open addressing; row == FRAME_NO_ROW marks an empty slot */
};
#define FRAME_NO_ROW UINT32_MAX
enum { FRAME_ROWS_MAX = 1 << 24 };

/* The leaf that was looked at last: pages that follow each other are often in one. Zeroed: none. */
struct frame_cursor {
    uint64_t leaf_key;
    struct frame *leaf;
};

/* page_key - names a page of a file as a frame is named by its number: 24 bits of object, 40 of file page (an exabyte file would
 * collide; none exists) */
static inline uint64_t page_key(uint32_t object, uint64_t file_page) { return (uint64_t)object << 40 | file_page; }

enum frame_event { FRAME_FIRST, FRAME_AGAIN, FRAME_AVOIDED };

void frame_set_free(struct frame_set *set);

/* frame_add - owner maps the frame in row (below FRAME_ROWS_MAX). Owners must come in ascending order.
 * anonymous and cause are remembered from the first page. */
enum frame_event frame_add(struct frame_set *set, struct frame_cursor *cursor, uint64_t key, uint32_t owner, uint32_t row,
                           bool anonymous, enum page_cause cause);
/* frame_find - NULL when nobody maps it. CURSOR is the caller's and must be zeroed after frame_add. */
struct frame *frame_find(const struct frame_set *set, struct frame_cursor *cursor, uint64_t key);
/* frame_owners - how many */
static inline uint32_t frame_owners(const struct frame_set *set, const struct frame *frame) {
    return set->sets.list[frame->set].size;
}

/* ---- tally.c: snapshot to numbers ---- */

struct counts {
    uint64_t pages;          /* = frames first counted here + avoided + again */
    uint64_t avoided;
    uint64_t again;
    uint64_t frames;         /* distinct: = shared + alone + private_copies + memory */
    uint64_t shared;         /* two or more owners; of these: */
    uint64_t shared_copies;  /*   anonymous: inherited by fork and not yet written, or merged by KSM */
    uint64_t alone;          /* page of the file that one owner maps */
    uint64_t private_copies; /* copy-on-write copy that one owner has: = sum of causes */
    uint64_t causes[CAUSES]; /* private_copies by what made them; indexed by enum page_cause */
    uint64_t memory;         /* anonymous memory with no file behind it that one owner has (SCOPE_ALL) */
    uint64_t unresolved;     /* private_copies and memory shared with somebody only frame numbers could name */
    uint64_t swapped;        /* pages not in memory but in swap; in none of the above */
    uint64_t images;         /* of `pages`: in an image of the linker's cache, relocated once for everybody */
    uint64_t images_avoided; /* of `avoided`: such pages */
    uint64_t won_relocated;  /* frames that one copy for all would save: relocation made them, and another owner has the same bytes */
    uint64_t won_duplicates; /* file frames that would go if files of one build-id were one file; both see won.c */
    uint64_t classes[CLASSES]; /* pages, swapped ones too: of each exactly one class */
};

/* counts_add - every member, classes too */
void counts_add(struct counts *to, const struct counts *from);

struct histogram { uint64_t frames, pages; };

/* A row is one segment of one object. Objects have the rows that their kind can have, one after the other. */
struct row {
    uint32_t object;
    enum segment_kind kind;
    uint32_t owners;       /* with a page there, in memory or swap */
    struct counts counts;  /* frames are distinct within the row */
};

struct tally {
    struct row *rows;
    uint32_t *first_row;    /* of each object, and one more: the number of rows */
    struct counts *objects; /* frames are distinct within the object */
    uint32_t *object_owners; /* owners with a page of the object */
    struct counts *owners;  /* per owner: frames are its own distinct ones, shared as in the whole snapshot */
    struct counts kinds[SEGMENT_KINDS]; /* sums over the rows of each kind */
    struct counts total;    /* frames are distinct over everything */
    uint64_t rows_overlap;  /* sum of the rows' frames minus total.frames: frames that several rows map */
    struct histogram *histogram; /* [number of owners], 0 to owner_count */
    struct frame_set frames, slots; /* whose the frames and the swap slots are */
    struct won_page *won_pages;     /* pages of objects where relocated copies could be shared, ascending by row, then address; owned */
    size_t won_page_count;
    struct duplicates *duplicates;  /* files that are there twice, most to be won first; owned */
    size_t duplicates_count;
};

/* One page of an object: copies that one for all would save. */
struct won_page {
    uint32_t object;
    uint64_t vaddr, won;
};

/* Several files of one build-id. */
struct duplicates {
    uint32_t *objects; /* most mapped pages first; owned */
    size_t count;
    uint64_t won;      /* frames */
};

/* ---- rows.c ---- */

/* rows_make - tally->rows and first_row, all counts 0; ends the process with a message when there are too many */
void rows_make(struct tally *tally, const struct snapshot *snapshot);
/* tally_row - the row of a segment; NULL for a kind that the object cannot have */
struct row *tally_row(const struct tally *tally, uint32_t object, enum segment_kind kind);

/* ---- won.c: what could be won, called by tally_make when everything else is counted ---- */

/* won_count - won_relocated and won_duplicates of the rows, tally->won_pages and tally->duplicates */
void won_count(struct tally *tally, const struct snapshot *snapshot);


void tally_make(struct tally *tally, const struct snapshot *snapshot);
void tally_free(struct tally *tally);

/* page_class_of - the class of page i of a run; set (of tally->frames, of a swapped page of tally->slots) and size, both may be
 * NULL, are of its owners: 0 and 1 where only the page itself tells that it has no other */
enum page_class page_class_of(const struct tally *tally, const struct snapshot *snapshot, uint32_t owner, const struct run *run,
                              size_t i, struct frame_cursor *cursor, uint32_t *set, uint32_t *size);

/* ---- matrix.c: who shares how much with whom ---- */

/* share_matrix - frames that each two owners both map
 *   in      sets, frames of the tally
 *           owners, count   the owners asked for
 *   returns count * count numbers, symmetric; on the diagonal the frames that the owner maps. malloc'd */
uint64_t *share_matrix(const struct tally *tally, size_t owner_count, const uint32_t *owners, size_t count);

/* ---- strips.c: an object page by page ---- */

/* The runs of every row, so that one segment can be walked without the others. */
struct run_ref {
    uint32_t owner;
    const struct run *run;
};
struct run_index {
    struct run_ref *refs; /* by row, then by owner; owned */
    size_t *first;        /* of each row, and one more: the number of refs */
};
void run_index_make(struct run_index *index, const struct tally *tally, const struct snapshot *snapshot);
void run_index_free(struct run_index *index);

struct strip { /* pages of a segment that follow each other and are alike */
    enum page_class class; /* the class most owners have the page in, of equals the first; CLASS_ABSENT: nobody has it */
    uint32_t owners;       /* owners that have the page, in memory or swap */
    uint64_t pages;
    uint32_t list;         /* which owners: index into the lists */
};
/* row_strips - the whole of one row, in the order of the file; malloc'd, *count set. The sets of owners are added to lists. */
struct strip *row_strips(const struct run_index *index, const struct tally *tally, const struct snapshot *snapshot, uint32_t row,
                         struct owner_lists *lists, size_t *count);

/* ---- pagemap words (Documentation/admin-guide/mm/pagemap.rst) ---- */

#define PM_PRESENT (UINT64_C(1) << 63)
#define PM_SWAPPED (UINT64_C(1) << 62)
#define PM_FILE (UINT64_C(1) << 61)      /* page of a file, or shared anonymous memory */
#define PM_GUARD (UINT64_C(1) << 58)     /* a guard region: no page, but a marker that looks like a swapped one */
#define PM_UFFD_WP (UINT64_C(1) << 57)
#define PM_EXCLUSIVE (UINT64_C(1) << 56)
#define PM_FRAME ((UINT64_C(1) << 55) - 1) /* of a swapped page: type of swap (5 bits) and offset */

/* The highest type of swap is no swap but the kernel's markers in page tables (SWP_PTE_MARKER in linux/swapops.h): guard regions, memory
 * write-protected by userfaultfd before it was touched, poison. Frame numbers show it. */
enum { SWAP_TYPE_MARKER = 31 };

/* The bits that say where a page is; the others (soft-dirty, write-protection, the exclusive hint when frame numbers are
 * there) may change without anything moving. Of a swapped page without frame numbers PM_UFFD_WP is kept: it may be a marker. */
static inline uint64_t word_place(uint64_t word, enum method method) {
    if (word & PM_PRESENT)
        return word & (PM_PRESENT | PM_FILE | (method == METHOD_FRAMES ? PM_FRAME : PM_EXCLUSIVE));
    if (!(word & PM_SWAPPED) || word & PM_GUARD || (method == METHOD_FRAMES && (word & SWAP_TYPE_MARKER) == SWAP_TYPE_MARKER))
        return 0;
    return word & (PM_SWAPPED | PM_FILE | (method == METHOD_FRAMES ? PM_FRAME : PM_UFFD_WP));
}

/* word_is_zero - is this present page the zero page, or one of the huge zero page? Frames: 0 where unknown */
static inline bool word_is_zero(enum method method, uint64_t zero_frame, uint64_t huge_zero_frame, const struct run *run, uint64_t word) {
    enum { HUGE_PAGES = 512 };
    uint64_t frame = word & PM_FRAME;
    if (method != METHOD_FRAMES) /* one that was written since has a page of its own */
        return run->zero && !(word & (PM_FILE | PM_EXCLUSIVE));
    return (zero_frame && frame == zero_frame) || (huge_zero_frame && frame - huge_zero_frame < HUGE_PAGES);
}

/* ---- the readers of words.c, here because they run for every page several times ---- */

#define WORD_WIDE (UINT32_C(1) << 31)
#define WORD_FILE (UINT32_C(1) << 27)
#define WORD_FRAME ((UINT32_C(1) << 27) - 1)
#define WORD_INDEX ((UINT32_C(1) << 28) - 1)
enum { WORD_CAUSE_SHIFT = 28, WORD_EXCLUSIVE = 1, WORD_NOT_EXCLUSIVE = 2 };
#define WORD_CAUSE (UINT32_C(7) << WORD_CAUSE_SHIFT)

static inline uint64_t word_get(const struct owner *owner, enum method method, size_t at) {
    uint32_t word = owner->words[at] & ~WORD_CAUSE;
    if (!word)
        return 0;
    if (word & WORD_WIDE)
        return owner->wide[word & WORD_INDEX];
    uint64_t place = PM_PRESENT | (word & WORD_FILE ? PM_FILE : 0);
    if (method == METHOD_FRAMES)
        return place | (word & WORD_FRAME);
    return place | ((word & WORD_FRAME) == WORD_EXCLUSIVE ? PM_EXCLUSIVE : 0);
}

static inline enum page_cause cause_get(const struct owner *owner, size_t at) {
    return (enum page_cause)(owner->words[at] >> WORD_CAUSE_SHIFT & 7);
}

#endif
