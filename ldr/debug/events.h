/* events.h - what the linker tells while it works. Every hook is one comparison of session.watch, which is 0 unless LD_DEBUG or
 * LDR_TRACE asked for something; what is told goes to ld_debug.c (lines, in the form of the system's linker) and record.c (binary).
 * Hooks may be called from any thread and inside any lock: nothing here takes one, allocates or reports. */
#ifndef LDR_EVENTS_H
#define LDR_EVENTS_H

#include "../run/run.h"

/* Bits of session.watch. The lower ones are glibc's DL_DEBUG_* numbers (its libc tests IMPCALLS in the linker's data). */
enum watch {
    WATCH_LIBS = 1 << 0,
    WATCH_CALLS = 1 << 1,             /* constructors and destructors: part of nearly every category */
    WATCH_BINDINGS = 1 << 2,
    WATCH_SYMBOLS = 1 << 3,
    WATCH_VERSIONS = 1 << 4,
    WATCH_RELOC = 1 << 5,
    WATCH_FILES = 1 << 6,
    WATCH_STATISTICS = 1 << 7,
    WATCH_UNUSED = 1 << 8,
    WATCH_SCOPES = 1 << 9,
    WATCH_HELP = 1 << 10,
    WATCH_CACHE = 1 << 15,            /* a category of our own: what the cache did and why */
    WATCH_RECORD = 1 << 16            /* LDR_TRACE */
};
#define WATCHED(what) UNLIKELY(session.watch & (what))
/* Each lookup is told by the walk over scopes itself, so the index and the short ways of relocate.c are left aside. */
#define WATCH_LOOKUPS (WATCH_BINDINGS | WATCH_SYMBOLS)
/* What is told of searching, mapping and relocating: a start from the cache does none of that, and would leave most of it out. */
#define WATCH_STEPS (WATCH_LIBS | WATCH_LOOKUPS | WATCH_VERSIONS | WATCH_RELOC | WATCH_FILES | WATCH_SCOPES)

/* Numbers as in the record (include/ldr/trace.h). END: destructors have run. */
enum phase { PHASE_LOAD, PHASE_LINK, PHASE_RELOCATE, PHASE_PROTECT, PHASE_CONSTRUCTORS, PHASE_RUNNING, PHASE_FINISH, PHASE_END };
/* Of a start: made from the record named; not, and why; a record was made, and its name; none is made, and why. */
enum cache_news { CACHE_HIT, CACHE_MISS, CACHE_MADE, CACHE_NOT_MADE };
/* Of an object: its pages are an image's, in the pack named (found, or made now); or relocated at each start, and why; or the kernel's. */
enum cache_part { CACHE_FROM_IMAGE, CACHE_NEW_IMAGE, CACHE_RELOCATED, CACHE_BY_KERNEL };
enum reloc_table { TABLE_RELA, TABLE_PLT };
enum { RECORD_SLICE = 1024 };         /* relocations of one VALUES event: 64 KiB of places at most */
enum call_kind { CALL_INIT, CALL_INIT_ARRAY, CALL_PREINIT_ARRAY, CALL_FINI_ARRAY, CALL_FINI };

void events_begin(void);              /* after the environment was read: session.watch from it. May print help and exit */
/* The `watch` of a want whose lookup shall be told; NULL when nobody listens. */
void (*events_lookup_watch(void))(const struct symbol_want *, const struct object *);
void events_debug_printf(const char *format, ...);              /* libc's own lines: "%s" is all it uses */

void events_phase_(enum phase phase);
void events_wanted_(const char *name, const struct object *loader, bool opened);
void events_candidate_(const char *path, enum found_by rule, int err);
void events_directory_(const char *path, bool present);
void events_found_(const char *name, const struct object *object, int err);
void events_mapped_(const struct object *object);
void events_version_(const struct object *object, const struct object *from, const char *version);
void events_scopes_(const struct object *object, u32 from, const struct object *first);
void events_relocating_(const struct object *object, bool lazy);
void events_relocated_(const struct object *object, bool lazy, u64 since);
/* want NULL: as the reference's own symbol table has it. */
void events_bound_(const struct reference *reference, const struct symbol_want *want, const struct binding *found);
/* The words now standing at the places of these entries of a table. */
void events_values_(const struct object *object, enum reloc_table which, u64 first, u64 count);
void events_stored_(const struct object *object, u32 symbol, const struct binding *found, u64 place, u64 value, u32 type);
void events_lazy_(const struct object *object, u64 index, const struct binding *found, u64 value, u64 since);
void events_protected_(const struct object *object, u64 start, u64 len);
void events_calling_(const struct object *object, enum call_kind kind);
void events_call_(const struct object *object, enum call_kind kind, u64 function);
void events_returned_(const struct object *object, enum call_kind kind, u64 function);
void events_error_(const char *text);          /* the first line of what is printed and each of its suggestions, or the whole of dlerror */
void events_opening_(const char *name, int mode, const struct object *caller);
void events_opened_(const char *name, const struct object *object);
void events_closing_(const struct object *object);
void events_sweep_(void);
void events_unload_(const struct object *object);
void events_tls_module_(const struct object *object);
void events_tls_block_(u64 module, u64 size);
void events_cache_(enum cache_news news, const char *text);
void events_cached_(const struct object *object, enum cache_part part, const char *text, u64 pages, u64 read_only);
u64 events_clock_(void);

#define EVENT(name, what, args, ...) static inline void event_##name args { if (WATCHED(what)) events_##name##_(__VA_ARGS__); }
EVENT(phase, WATCH_RECORD | WATCH_STATISTICS, (enum phase phase), phase)
EVENT(wanted, WATCH_RECORD | WATCH_FILES | WATCH_LIBS, (const char *name, const struct object *loader, bool opened), name, loader, opened)
EVENT(candidate, WATCH_RECORD, (const char *path, enum found_by rule, int err), path, rule, err)
EVENT(directory, WATCH_RECORD, (const char *path, bool present), path, present)
EVENT(found, WATCH_RECORD | WATCH_LIBS, (const char *name, const struct object *object, int err), name, object, err)
EVENT(mapped, WATCH_RECORD | WATCH_FILES | WATCH_LIBS, (const struct object *object), object)
EVENT(version, WATCH_VERSIONS, (const struct object *object, const struct object *from, const char *version), object, from, version)
EVENT(scopes, WATCH_SCOPES, (const struct object *object, u32 from, const struct object *first), object, from, first)
EVENT(relocating, WATCH_RELOC, (const struct object *object, bool lazy), object, lazy)
EVENT(relocated, WATCH_RECORD | WATCH_STATISTICS, (const struct object *object, bool lazy, u64 since), object, lazy, since)
EVENT(bound, WATCH_BINDINGS, (const struct reference *reference, const struct symbol_want *want, const struct binding *found), reference, want, found)
EVENT(values, WATCH_RECORD, (const struct object *object, enum reloc_table which, u64 first, u64 count), object, which, first, count)
EVENT(stored, WATCH_RECORD, (const struct object *object, u32 symbol, const struct binding *found, u64 place, u64 value, u32 type),
      object, symbol, found, place, value, type)
EVENT(lazy, WATCH_RECORD, (const struct object *object, u64 index, const struct binding *found, u64 value, u64 since),
      object, index, found, value, since)
EVENT(protected, WATCH_RECORD, (const struct object *object, u64 start, u64 len), object, start, len)
EVENT(calling, WATCH_CALLS, (const struct object *object, enum call_kind kind), object, kind)
EVENT(call, WATCH_RECORD, (const struct object *object, enum call_kind kind, u64 function), object, kind, function)
EVENT(returned, WATCH_RECORD, (const struct object *object, enum call_kind kind, u64 function), object, kind, function)
EVENT(error, WATCH_RECORD, (const char *text), text)
EVENT(opening, WATCH_RECORD, (const char *name, int mode, const struct object *caller), name, mode, caller)
EVENT(opened, WATCH_RECORD | WATCH_FILES, (const char *name, const struct object *object), name, object)
EVENT(closing, WATCH_RECORD | WATCH_FILES, (const struct object *object), object)
EVENT(sweep, WATCH_RECORD, (void), )
EVENT(unload, WATCH_RECORD | WATCH_FILES, (const struct object *object), object)
EVENT(tls_module, WATCH_RECORD, (const struct object *object), object)
EVENT(cache, WATCH_RECORD | WATCH_CACHE, (enum cache_news news, const char *text), news, text)
EVENT(cached, WATCH_RECORD | WATCH_CACHE, (const struct object *object, enum cache_part part, const char *text, u64 pages, u64 read_only),
      object, part, text, pages, read_only)
EVENT(tls_block, WATCH_RECORD, (u64 module, u64 size), module, size)
/* When something begins whose end will be told with its duration; 0 when nobody listens. */
static inline u64 event_clock(void) { return WATCHED(WATCH_RECORD | WATCH_STATISTICS) ? events_clock_() : 0; }

#endif
