/* format.h - what lies in a cache directory (ARCHITECTURE.md, "The cache"). Read by the linker and by `ldr cache`.
 *
 *   catalog        places given to files, images made of them         struct catalog_head, then places, then images
 *   r-<32 hex>     how one program starts: a record                   struct record_head, then what its offsets name
 *   p-<16 hex>     a pack: pages of images, from its second page on   struct pack_head in the first page; a name is never used twice
 *   l-<16 hex>     images of one file that dlopen brings               struct late_head in its tables, from the first whole page behind them pages
 *   lock           held (flock) by whoever makes something
 *   t-<hex>        being written; renamed when complete, otherwise left by somebody who died and removed by the next maker
 *
 * Every file is written under a temporary name and renamed; none is changed afterwards. All numbers are little endian, all offsets count
 * from the beginning of the file. Structures of the loader stand in records as they are in memory: a record is believed only by the very
 * build of the loader that wrote it (its build-id is part of the key). */
#ifndef LDR_CACHE_FORMAT_H
#define LDR_CACHE_FORMAT_H

#include "../image/image.h"

#define CATALOG_MAGIC 0x31676c7461636c72ull            /* "rlcatlg1" */
#define RECORD_MAGIC 0x3364726f63657272ull             /* "rrecord3" */
#define PACK_MAGIC 0x316b6361702d7272ull               /* "rr-pack1" */
#define CACHE_NAME_ROOM 24
#define NO_OBJECT 0xffffffffu

/* Whose directory it is. The system's lie at a fixed place (make SYSTEM_CACHE=...); what AT_SECURE means is that no variable moves it. */
enum store_kind {
    STORE_USER,
    STORE_SYSTEM,                     /* root's, for everybody's ordinary starts */
    STORE_SECURE                      /* root's, readable by root alone, for set-user-ID root programs */
};
#ifndef SYSTEM_CACHE
#define SYSTEM_CACHE "/var/cache/ldr"
#endif
#define SECURE_CACHE SYSTEM_CACHE "-secure"

/* Which file, and that it is unchanged: a write, a replacement, even with the times set back, changes ctime. */
struct file_identity { u64 dev, ino, size, mtime, mtime_ns, ctime, ctime_ns; };

struct pack_head { u64 magic, size; };

/* ---- record ---- */

/* What the search for libraries saw and did not find; if one of these changed the search might end elsewhere. */
enum witness_kind { WITNESS_ABSENT, WITNESS_SAME };
struct witness {
    u32 path;                         /* offset of the text */
    u32 kind;
    struct file_identity is;          /* of a directory or file, following links; WITNESS_SAME only */
};

struct piece {                        /* pages of an image: whole pages of the object's writable segments as they are after relocation */
    u64 vaddr, len;
    u64 off;                          /* in its pack */
    u32 pack;                         /* number in the record's list */
    u8 sealed;                        /* RELRO: read-only once the process runs */
};
struct patch { u64 vaddr, addend; };  /* word that must become the program's bias plus addend */

enum object_kind {
    KIND_SHARED,                      /* writable pages from an image */
    KIND_PLAIN,                       /* at its place, relocated at each start */
    KIND_KERNEL                       /* mapped by the kernel: vDSO, the program entered through PT_INTERP */
};

/* Why an object is KIND_PLAIN: what about it only this process can know, or images cannot hold. */
enum plain_why {
    PLAIN_NOT, PLAIN_CHOSE, PLAIN_TEXTREL, PLAIN_REL, PLAIN_SEGMENTS, PLAIN_PIECES, PLAIN_COPY, PLAIN_NARROW, PLAIN_OUTSIDE, PLAIN_ADDRESS,
    PLAIN_OVERLAP, PLAIN_UNFILLED, PLAIN_MEMORY, PLAIN_STATIC_TLS, PLAIN_UNIQUE, PLAIN_MOVED, PLAIN_USES_MOVED, PLAIN_FAR
};
static inline const char *plain_why_text(u32 why)
{
    switch (why) {
    case PLAIN_NOT: return "";
    case PLAIN_CHOSE: return "an indirect function that is not the C library's chose, and may choose otherwise";
    case PLAIN_TEXTREL: return "its code is relocated (DT_TEXTREL)";
    case PLAIN_REL: return "it has relocations without addends (DT_REL)";
    case PLAIN_SEGMENTS: return "its first segment is writable or empty, or a read-only one is longer in memory than in the file";
    case PLAIN_PIECES: return "its writable memory is in more than four parts";
    case PLAIN_COPY: return "a copy relocation of a program that the kernel placed";
    case PLAIN_NARROW: return "a relative or narrow relocation, which could not be stored again, may lead into a program that the kernel placed";
    case PLAIN_OUTSIDE: return "an address in the program outside the pages of an image";
    case PLAIN_ADDRESS: return "an address of this process alone";
    case PLAIN_OVERLAP: return "two words of this process alone overlap";
    case PLAIN_UNFILLED: return "the linker's pages as they were before they were filled could not be kept";
    case PLAIN_MEMORY: return "no memory was left";
    case PLAIN_STATIC_TLS: return "opened late, and it holds offsets of static thread storage";
    case PLAIN_UNIQUE: return "opened late, and bound to a unique symbol: which one it is hangs on what came before";
    case PLAIN_MOVED: return "its place is taken in this process";
    case PLAIN_USES_MOVED: return "it holds addresses in an object whose place is taken in this process";
    case PLAIN_FAR: return "a relocation behind the first MiB of its zero pages";
    default: return "a reason this build does not know";
    }
}

struct record_object {
    struct file_identity file;
    struct image image;               /* as the reader left it; pointers into the mapped object are right because the place is fixed; `path`,
                                         `plan.seg` and `version` are offsets in the record */
    u64 bias, map_start, map_end;
    u64 tls_module, tls_offset;
    u32 kind, found_by, loader, symbol_count;
    u32 path, real_path;
    u32 soname;                       /* a copy: the object's own stands in a page that a start need not touch otherwise. 0: none */
    u32 aliases, alias_count;         /* array of text offsets */
    u32 needed, needed_count;         /* array of object numbers */
    u32 filtee, filtee_count;
    u32 pieces, piece_count;
    u32 patches, patch_count;
    u32 plain_why;                    /* enum plain_why */
    u64 plain_at;                     /* the word it is about, as a link-time address; 0: none */
    u32 uses;                         /* bit map of object numbers: where some relocated word leads. KIND_SHARED only */
    u32 dyn_tags;                     /* array of image.dyn_count tags, so that .dynamic need not be read */
    u8 own_words;                     /* some words in sealed pieces are written at each start (patches, DT_DEBUG, the linker's private data) */
    u8 idle;                          /* IDLE_*: constructors or destructors need not be called (startfiles.c). KIND_SHARED only */
    u8 used;                          /* bound to by the program, by an object whose constructors or destructors are called, or by one of these in turn */
    u64 dso_handle;                   /* the destructors but for __cxa_finalize of this; 0: not even that */
};

/* What a key begins with. Behind it: the loader's notes (notes_len bytes), aux_count pairs of words (type and value of the auxiliary
 * vector's entries that count), then texts, each a word with its length (~0: absent) and its bytes: first those of enum key_text, then
 * one for each variable of the environment that counts. Nothing behind the head is aligned. */
struct key_head {
    u8 boot[16];
    u64 way;                          /* enum start_way: entered by the kernel (PT_INTERP), or by command */
    u64 origin_by_file;               /* --proc-exe */
    u64 bind_now, inhibit_cache;
    struct file_identity program;
    u64 notes_len, aux_count;
    u64 store;                        /* enum store_kind */
};
enum key_text {
    KEY_PATH, KEY_DIR /* current directory, where it matters */, KEY_PLATFORM, KEY_LIBRARY_PATH, KEY_PRELOAD_ENV, KEY_PRELOAD_OPTION,
    KEY_INHIBIT_RPATH, KEY_HWCAPS_PREPEND, KEY_HWCAPS_MASK, KEY_ORIGIN_PATH, KEY_GENUINE_LINKER, KEY_TEXTS
};

/* A pack and that it is unchanged: named at random, and the file itself, so that no other can stand in for it. */
struct pack_ref { char name[CACHE_NAME_ROOM]; struct file_identity is; };
struct unique_pair { u32 object, symbol; };

struct record_head {
    u64 magic, size, sum;             /* sum: cache_sum of everything behind this word */
    u64 gate;
    u32 key, key_len;
    u32 witnesses, witness_count;
    u32 objects, object_count;        /* in load order */
    u32 closure, init_order, closure_count;            /* arrays of object numbers, of the program */
    u32 uniques, unique_count;
    u32 packs, pack_count;            /* array of struct pack_ref */
    u32 libc, linker;                 /* object numbers */
    u32 facts, facts_len;             /* what was found in the C library; bytes, their meaning is compat/'s */
    u32 origin;                       /* text: the program's $ORIGIN, when the search asked for it; 0: it did not */
    u64 born, max_age;                /* when the places were drawn, seconds of CLOCK_BOOTTIME; its maker's limit, seconds, 0: none */
};

/* ---- images of what dlopen brings ----
 *
 * Which start a process made tells nothing of what it opens later, so these stand by themselves, one file for each library. A variant
 * is a situation (what is in the object's scopes, in which order, where: 128 bits) and the image that is right in it. Images of equal
 * bytes are one. */
#define LATE_MAGIC 0x316574616c2d7272ull               /* "rr-late1" */
#define LATE_VARIANTS_MOST 32u
#define LATE_IMAGES_MOST 8u
#define LATE_TABLES_MOST (1u << 20)
struct late_image {
    struct piece piece[4];            /* pack: 0, this file */
    u32 piece_count;
    u32 patches, patch_count;
    u32 own_words;
    u64 sum;                          /* cache_sum of its pages, for those who verify */
};
struct late_variant {
    u64 context[2];
    u32 image;
    u32 bound, bound_count;           /* positions in its scopes of objects it uses without needing them */
    u32 unused;
};
struct late_head {
    u64 magic, size, sum;             /* sum: cache_sum of the tables behind this word */
    u64 gate;                         /* of the catalog that gave the place */
    u8 boot[16];
    struct file_identity file;
    u64 start, len;                   /* its place */
    u32 tables;                       /* bytes of head and tables */
    u32 plain_why;                    /* enum plain_why: relocated by each process */
    u32 variants, variant_count;
    u32 images, image_count;
    u32 path;                         /* text: by which name it was opened; for those who list it */
    u32 unused;
};

/* ---- catalog ---- */

struct place { struct file_identity file; u64 start, len; };
struct known_image {
    u32 place;                        /* number of its object's place */
    u32 piece_count;
    struct piece pieces[4];           /* pack: number in the catalog's list */
};
#define PIECES_MOST 4u
struct catalog_head {
    u64 magic, size, sum;
    u8 boot[16];
    u64 base, next, end;              /* the region: gate first, then objects; next: first free address */
    u32 places, place_count;
    u32 images, image_count;
    u32 packs, pack_count;            /* array of struct pack_ref */
    u64 born;                         /* seconds of CLOCK_BOOTTIME */
};

/* cache_owns_name - is this the whole name of a record, a pack, images of what was opened, or a temporary file (a number as text_hex writes
 * it)? The directory may be one where somebody keeps other files. */
static inline bool cache_owns_name(const char *name)
{
    u32 digits = 0;
    if ((name[0] != 'r' && name[0] != 'p' && name[0] != 't' && name[0] != 'l') || name[1] != '-')
        return false;
    for (const char *at = name + (name[0] == 't' && name[2] == '0' && name[3] == 'x' ? 4 : 2); *at; at++, digits++)
        if (!(*at >= '0' && *at <= '9') && !(*at >= 'a' && *at <= 'f'))
            return false;
    return name[0] == 'r' ? digits == 32 : name[0] == 't' ? digits && digits <= 16 : digits == 16;
}

/* cache_seconds - a length of time as LDR_CACHE_MAX_AGE gives it: seconds, or with m, h or d. 0: no such text. */
static inline u64 cache_seconds(const char *text)
{
    u64 value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9' && at - text < 9; at++)
        value = value * 10 + (u64)(*at - '0');
    u64 unit = *at == 'm' ? 60 : *at == 'h' ? 3600 : *at == 'd' ? 86400 : 1;
    at += unit != 1;
    return *at ? 0 : value * unit;
}

/* cache_sum - sum over bytes, 8-byte aligned, for finding damage (not attacks: whoever can write here is the owner). */
static inline u64 cache_sum(const void *bytes, u64 len)
{
    const u64 *at = bytes;
    u64 a = 0x9e3779b97f4a7c15ull ^ len, b = 0xbf58476d1ce4e5b9ull;
    u64 words = len / 8;
    for (u64 i = 0; i < words; i++) {
        a = (a ^ at[i]) * 0xff51afd7ed558ccdull;
        b = (b << 23 | b >> 41) + (a ^ a >> 32);
    }
    u64 rest = 0;
    for (u64 i = 0; i < len % 8; i++)
        rest |= (u64)((const u8 *)(at + words))[i] << 8 * i;
    a = (a ^ rest) * 0xff51afd7ed558ccdull;
    return b ^ a ^ a >> 29;
}

#endif
