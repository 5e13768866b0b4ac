/* image.h - contract of floor 1: what an ELF file says, read once, checked once, never changed afterwards.
 *
 * Readers take bytes through a view, so the same code reads a file, a mapped image and another process's pages. They judge every
 * count, offset and size that comes from the file; whatever passed may then be used with plain pointers. They report problems and
 * return -LDR_E_*; they format no text, make no system call and allocate only from the arena they are handed.
 */
#ifndef LDR_IMAGE_H
#define LDR_IMAGE_H

#include <elf.h>

#include "../base/base.h"

/* Constants newer than some <elf.h> */
#ifndef DT_RELRSZ
#define DT_RELRSZ 35
#define DT_RELR 36
#define DT_RELRENT 37
#endif
#ifndef DF_1_PIE
#define DF_1_PIE 0x08000000
#endif

/* One PT_LOAD, in link-time addresses (suffix _page: rounded outward to pages). */
struct segment {
    u64 vaddr, file_end, mem_end;     /* vaddr <= file_end <= mem_end */
    u64 off;                          /* file offset of vaddr */
    u32 prot;                         /* PF_R | PF_W | PF_X */
};

/* plan.c: the PT_LOADs as ordered mapping steps. */
struct plan {
    const struct segment *seg;        /* ascending, pages of two segments never overlap */
    u32 seg_count;
    u64 lo_page, hi_page;             /* whole span */
    u64 align;                        /* largest p_align honoured: a power of two, LDR_PAGE..LDR_HUGE_PAGE */
    u64 huge_vaddr;                   /* start of a code segment of at least one huge page, or 0 */
    u64 huge_off;
};

enum view_rule {
    VIEW_MEMORY,                      /* bytes of vaddr v are at bytes + v; .bss readable */
    VIEW_FILE                         /* bytes of vaddr v are at bytes + off + (v - seg.vaddr); only file bytes exist */
};
struct view {
    const u8 *bytes;                  /* VIEW_MEMORY: the load bias as a pointer */
    const struct plan *plan;
    enum view_rule rule;
};

struct gnu_hash {
    const u64 *bloom;
    const u32 *bucket, *chain;        /* chain[i] belongs to symbol sym_offset + i; NULL: no table */
    u32 bucket_count, bloom_mask, bloom_shift, sym_offset;
};
struct sysv_hash {
    const u32 *bucket, *chain;        /* NULL: no table */
    u32 bucket_count, chain_count;
};
struct version {                      /* indexed by the number in DT_VERSYM */
    const char *name;                 /* NULL: no such version */
    u32 hash;                         /* SysV hash of name */
    bool needed;                      /* a reference (DT_VERNEED), not a definition */
    bool hidden;                      /* reference with the hidden bit */
    bool weak;                        /* VER_FLG_WEAK: may be missing */
};
struct rela_table { const Elf64_Rela *at; u64 count; };
struct rel_table { const Elf64_Rel *at; u64 count; };
struct relr_table { const u64 *at; u64 count; };
struct func_array { u64 vaddr, count; };           /* vaddr 0: none */

struct image {
    const char *path;                 /* for reports only; borrowed */

    /* header.c: from the ELF header and the program headers */
    u16 type;                         /* ET_DYN or ET_EXEC */
    u64 entry;
    const Elf64_Phdr *phdr;           /* borrowed from the caller's header bytes or mapped image */
    u16 phnum;
    struct plan plan;
    u64 phdr_vaddr;                   /* where a mapped image holds its program headers, or 0 */
    u64 dyn_vaddr, dyn_len;           /* 0: static */
    u64 interp_vaddr, interp_len;
    u64 relro_vaddr, relro_len;
    u64 eh_frame_hdr_vaddr;
    u64 tls_vaddr, tls_filesz, tls_memsz, tls_align;   /* tls_memsz 0: no TLS */
    u32 stack_flags;                  /* PF_* of PT_GNU_STACK; PF_R|PF_W|PF_X when absent */
    u64 writable_lo, writable_hi;     /* longest run of writable segments without a hole, vaddr; equal when shorter than a word */

    /* dynamic.c: from PT_DYNAMIC; everything below is empty without it */
    const Elf64_Dyn *dyn;
    u32 dyn_count;                    /* without DT_NULL */
    u32 needed_count, filter_count;   /* DT_NEEDED; DT_FILTER and DT_AUXILIARY */
    u32 flags, flags_1;               /* DT_FLAGS, DT_FLAGS_1 */
    bool symbolic, textrel, bind_now;
    const char *soname, *rpath, *runpath;              /* NULL: none */
    const char *strtab;
    u64 strtab_len;                   /* last byte is 0 */
    const Elf64_Sym *symtab;
    u64 sym_limit;                    /* entries that certainly are inside the segment; the table itself carries no count */
    struct gnu_hash gnu;
    struct sysv_hash sysv;
    const u16 *versym;                /* NULL: unversioned; sym_limit entries where present */
    u64 verdef_vaddr, verneed_vaddr;
    u32 verdef_count, verneed_count;
    struct rela_table rela, plt;      /* plt: DT_JMPREL, not repeated in rela */
    struct rel_table rel;
    struct relr_table relr;
    u64 rela_relative;                /* DT_RELACOUNT: a promise, verified while walking */
    u64 pltgot_vaddr;                 /* 0: none */
    u64 init_vaddr, fini_vaddr;       /* 0: none */
    struct func_array preinit_array, init_array, fini_array;

    /* version.c */
    const struct version *version;    /* version_count entries, or NULL */
    u32 version_count;
};

/* view.c */
const void *view_at(const struct view *view, u64 vaddr, u64 len);       /* NULL when the bytes are not all there */
u64 view_extent(const struct view *view, u64 vaddr);                    /* bytes readable from vaddr on */

/* header.c */
enum image_use { IMAGE_PROGRAM, IMAGE_LIBRARY };
/* image_check_header - judge the ELF header.
 *   in      head, head_len   first bytes of the file (at least sizeof(Elf64_Ehdr), else LDR_E_SHORT)
 *   returns 0 or -LDR_E_*; the program header table is at e_phoff for e_phnum entries, range not yet checked
 *   source  gABI "ELF Header" */
int image_check_header(const u8 *head, u64 head_len, const char *path, struct report *report);
/* image_read_phdrs - take the facts of the program headers and build the plan.
 *   in      phdr     phnum entries, borrowed for the life of the image
 *           file_len size of the file, bytes; 0 when unknown (image mapped by the kernel): no range check then
 *   out     image    header part and plan
 *   owns    plan.seg lives in the arena
 *   source  gABI "Program Header", "Program Loading" */
int image_read_phdrs(struct image *image, const Elf64_Phdr *phdr, u16 phnum, u64 file_len, struct arena *arena, struct report *report);

/* plan.c */
int plan_build(struct plan *plan, const Elf64_Phdr *phdr, u16 phnum, u64 file_len, const char *path, struct arena *arena,
               struct report *report);

/* plan_place_fits - whether a relocation may write `width` bytes at the place: inside one writable segment, or any when text is open. */
bool plan_place_fits(const struct plan *plan, u64 place, u64 width, bool text_open);

/* dynamic.c: image_read_dynamic - decode PT_DYNAMIC through the view. Needs image_read_phdrs. */
int image_read_dynamic(struct image *image, const struct view *view, struct report *report);
/* image_string - string at an offset of DT_STRTAB; NULL when outside. */
static inline const char *image_string(const struct image *image, u64 off)
{
    return off < image->strtab_len ? image->strtab + off : NULL;
}
/* image_needed - the next value of `tag` (DT_NEEDED, DT_FILTER...) from *at on; false at the end. */
bool image_next_dyn(const struct image *image, u32 *at, i64 tag, u64 *value);

/* version.c: image_read_versions - build the table that DT_VERSYM numbers index. Needs image_read_dynamic. */
int image_read_versions(struct image *image, const struct view *view, struct arena *arena, struct report *report);
struct version_need {                 /* one (library, version) an object needs */
    const char *file, *name;
    u32 hash;
    bool weak;
};
/* image_next_version_need - walk DT_VERNEED as a list of single needs; the tables were checked by image_read_versions. */
struct version_walk { u64 need_vaddr, aux_vaddr; u32 needs_left, aux_left, taken; };
struct version_walk image_version_needs(const struct image *image);
bool image_next_version_need(const struct image *image, const struct view *view, struct version_walk *walk, struct version_need *need);
/* image_defines_version - whether a verdef of that name exists. */
bool image_defines_version(const struct image *image, const char *name, u32 hash);

/* symbol.c */
u32 gnu_hash_of(const char *name);
u32 gnu_hash_len(const char *name, u32 *len);
u32 sysv_hash_of(const char *name);
u64 image_symbol_count(const struct image *image);     /* highest hashed index + 1, at most sym_limit; 0 without a hash table */

struct object;
struct symbol_want {
    const char *name;
    u32 len;                          /* strlen(name) */
    u32 gnu;                          /* gnu_hash_of(name) */
    const struct version *version;    /* NULL: unversioned reference */
    u32 classes;                      /* CLASS_*: what may not answer */
    bool partial;                     /* len unknown and gnu without bit 0: a definition's own chain word stood in for hashing its name;
                                         enough for the index, not for bloom and buckets */
    bool strong_first;                /* LD_DYNAMIC_WEAK: a weak definition answers only when no other does */
    void (*watch)(const struct symbol_want *want, const struct object *object);    /* told of each object asked; NULL: nobody listens */
    bool newest;                      /* dlsym: an unversioned want takes the default version even among several */
};
#define CLASS_PLT 1u                  /* undefined symbols with a value (canonical PLT entries) do not answer */
#define CLASS_COPY 2u                 /* the program itself does not answer (caller skips it) */
#define CLASS_EXTERN_DATA 4u          /* data reference that a copy relocation may have moved (protected symbols) */

/* symbol_want_exact - the same want with its name hashed in full. */
static inline struct symbol_want symbol_want_exact(const struct symbol_want *want)
{
    struct symbol_want exact = *want;
    if (exact.partial) {
        exact.gnu = gnu_hash_len(exact.name, &exact.len);
        exact.partial = false;
    }
    return exact;
}

/* image_find_symbol - the symbol that answers `want`, or NULL. Rules of versions and visibility as the system's linker applies
 * them (gABI "Symbol Table", LSB "Symbol Versioning", and glibc's behaviour for unversioned references). */
const Elf64_Sym *image_find_symbol(const struct image *image, const struct symbol_want *want);
/* image_symbol_answers - the same judgement for one candidate of the right hash. The refusals are told apart for those who explain; they
 * are judged in this order, so a refused symbol may have another name as well, except where the name is said to be right. */
enum symbol_verdict {
    SYMBOL_REFUSED_UNDEFINED = -9,    /* no definition; or a canonical PLT entry, which does not answer this kind of reference */
    SYMBOL_REFUSED_NO_VALUE,
    SYMBOL_REFUSED_TYPE,
    SYMBOL_REFUSED_NO_TLS,            /* thread-local in an object without PT_TLS: it is nowhere */
    SYMBOL_REFUSED_VISIBILITY,
    SYMBOL_REFUSED_BINDING,           /* local, or none we know */
    SYMBOL_REFUSED_VERSION,           /* right name, another version */
    SYMBOL_REFUSED_UNVERSIONED,       /* right name, no version, and hidden or the reference insists on one */
    SYMBOL_REFUSED_NOT_DEFAULT,       /* right name, a later version that is not the default, met by an unversioned reference */
    SYMBOL_OTHER_NAME = 0,
    SYMBOL_ANSWERS = 1,
    SYMBOL_ANSWERS_ALONE = 2          /* only if it is the only one: versioned definition met by an unversioned reference */
};
enum symbol_verdict image_symbol_answers(const struct image *image, u32 index, const struct symbol_want *want);

/* note.c: image_note - payload of the first note (name, type) of the PT_NOTE segments, or NULL. */
const u8 *image_note(const struct image *image, const struct view *view, const char *name, u32 type, u32 *len);
/* image_property - a 4-byte GNU property (x86-64 psABI "Program Property"), 0 when absent. Read only when PT_GNU_PROPERTY says so. */
u32 image_property(const struct image *image, const struct view *view, u32 type);
#define PROPERTY_1_NEEDED 0xb0008000u
#define PROPERTY_1_INDIRECT_EXTERN_ACCESS 1u
#define PROPERTY_X86_ISA_1_NEEDED 0xc0008002u

#endif
