/* trace.h - the record that ld-ldr.so writes (LDR_TRACE=FILE) and `ldr trace` reads. Native byte order, x86-64 only.
 *
 *   | trace_file, one page | chunk of process A | chunk of process B | second chunk of A | ...
 *                          | trace_chunk | event | event | ... | unused |
 *
 * Every process that was started with the file's name appends chunks of its own; a forked child writes on in its parent's. Space in the
 * file and in a chunk is given out by atomic additions in the shared mapping, so no writer waits for another and what was written stays
 * when the process is killed. An event's type is stored last: 0 with a length means it was never finished.
 *
 * Objects are named by a number that is theirs from the OBJECT event to UNLOADED. Which definition an ordinary reference was bound to is
 * not told one by one: the words that relocation left at the places of a table are copied (VALUES), and the reader finds
 * the symbol with the object's own tables. That costs a tenth of telling each binding and leaves the relocation loops alone. */
#ifndef LDR_TRACE_H
#define LDR_TRACE_H

#include <stdint.h>

#define TRACE_MAGIC 0x656361727472646cull              /* "ldrtrace" in memory order */
#define TRACE_CHUNK_MAGIC 0x6b6e6863u                  /* "chnk" */
#define TRACE_VERSION 2u                               /* 2: CACHE, CACHED, ERROR; VALUES in slices */
#define TRACE_PAGE 4096u
#define TRACE_NAMES 2048u                              /* longest text kept of one event, bytes */

struct trace_file {
    uint64_t magic;
    uint32_t version, page;
    uint64_t end;                                      /* first byte of the file nobody has taken */
};

struct trace_chunk {
    uint32_t magic, pid;                               /* pid: who made it */
    uint64_t len;                                      /* whole chunk, this head included */
    uint64_t used;                                     /* grows past len when an event did not fit */
    uint64_t reserved;
};

enum trace_type {
    TRACE_PROCESS = 1, TRACE_PHASE, TRACE_WANTED, TRACE_CANDIDATE, TRACE_DIRECTORY, TRACE_FOUND, TRACE_OBJECT, TRACE_RELOCATED, TRACE_VALUES,
    TRACE_STORED, TRACE_LAZY, TRACE_PROTECTED, TRACE_CALL, TRACE_RETURN, TRACE_OPENING, TRACE_OPENED, TRACE_CLOSING, TRACE_KEPT,
    TRACE_UNLOADED, TRACE_TLS_MODULE, TRACE_TLS_BLOCK, TRACE_ERROR, TRACE_CACHE, TRACE_CACHED, TRACE_TYPES
};

struct trace_event {
    uint32_t len;                                      /* this head included; multiple of 8 */
    uint16_t type, flag;
    uint32_t pid, tid;
    uint64_t time;                                     /* ticks; PROCESS and PHASE events give them with nanoseconds */
};

/* What follows the head, by type; texts stand behind it, each ended by 0. */
struct trace_process { uint64_t nanoseconds, wall; uint32_t parent, way; };     /* CLOCK_MONOTONIC and CLOCK_REALTIME; flag: how many texts: arguments */
struct trace_phase { uint64_t nanoseconds, minor_faults, major_faults, user_us, system_us; };     /* flag: enum trace_phase_number of the one that begins */
struct trace_wanted { uint64_t loader; };              /* flag: by dlopen; text: name */
struct trace_candidate { int32_t error; uint32_t rule; };                       /* 0 or positive errno; text: path */
/* DIRECTORY: nothing but flag (present) and text (path) */
struct trace_found { uint64_t object; int32_t error; uint32_t zero; };          /* object 0: nobody */
struct trace_segment { uint64_t start, len, off; uint32_t prot, zero; };        /* addresses; prot as PF_* */
struct trace_object {
    uint64_t object, bias, start, end, dev, ino, loader;
    uint32_t rule, segments;
    uint8_t build_id[24];                              /* the first build_id_len bytes; 0: none */
    uint32_t build_id_len, zero;
};                                                     /* flag: enum trace_object_flag; then segments; texts: path, name asked for */
enum trace_object_flag { TRACE_IS_PROGRAM = 1, TRACE_IS_VDSO = 2, TRACE_IS_SELF = 4, TRACE_IS_SHARED = 8 };
/* self: ld-ldr.so, in no list; shared: its relocated pages come from an image of the cache, and no RELOCATED or VALUES follows */
enum trace_phase_number { TRACE_LOAD, TRACE_LINK, TRACE_RELOCATE, TRACE_PROTECT, TRACE_CONSTRUCTORS, TRACE_RUNNING, TRACE_FINISH, TRACE_END, TRACE_PHASES };
enum trace_call_kind { TRACE_INIT, TRACE_INIT_ARRAY, TRACE_PREINIT_ARRAY, TRACE_FINI_ARRAY, TRACE_FINI };
struct trace_relocated { uint64_t object, since, relative, relr, symbolic, plt; };      /* flag: plt left lazy */
/* table: 0 DT_RELA, 1 DT_JMPREL. Then count words; with TRACE_NARROW (flag) 32-bit signed differences from base, TRACE_NARROW_ZERO for 0. */
struct trace_values { uint64_t object, first, base; uint32_t table, count; };
#define TRACE_NARROW 1u
#define TRACE_NARROW_ZERO 0x80000000u
struct trace_stored { uint64_t object, definer, place, value, definition; uint32_t symbol, kind; };     /* TLS and copy relocations */
struct trace_lazy { uint64_t object, definer, index, value, since, definition; };       /* definer 0: undefined weak */
struct trace_protected { uint64_t object, start, len; };
struct trace_call { uint64_t object, function; };      /* flag: enum trace_call_kind */
struct trace_opening { uint64_t caller; };             /* flag: mode; text: name */
struct trace_opened { uint64_t object; };              /* text: name; object 0: failed, and an ERROR of the thread before it told why */
struct trace_closing { uint64_t object, opens_left; }; /* text: why it stays, if that is known at once */
struct trace_kept { uint64_t object, by; };            /* text: how `by` holds it */
struct trace_unloaded { uint64_t object; };
struct trace_tls_module { uint64_t object, module, size, align, offset; };      /* offset 0: no static block (yet) */
struct trace_tls_block { uint64_t module, size; };
/* ERROR: nothing but text: what is printed, or handed to dlerror */
/* CACHE: nothing but flag (enum trace_cache_news) and text (the record's name, or why there is none) */
enum trace_cache_news { TRACE_CACHE_HIT, TRACE_CACHE_MISS, TRACE_CACHE_MADE, TRACE_CACHE_NOT_MADE };
struct trace_cached { uint64_t object, pages, read_only; };     /* flag: enum trace_cache_part; text: the pack's name, or why it is relocated */
enum trace_cache_part { TRACE_FROM_IMAGE, TRACE_NEW_IMAGE, TRACE_EACH_START, TRACE_BY_KERNEL };

#endif
