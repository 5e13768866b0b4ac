/* record.h - the binary record of LDR_TRACE (include/ldr/trace.h), one function for each thing told. Private to debug/. */
#ifndef LDR_RECORD_H
#define LDR_RECORD_H

#include "events.h"

/* record_begin - opens or makes the file. False: it cannot be used, which is said on standard error; the program runs all the same. */
bool record_begin(const char *path);
void record_phase(enum phase phase, u64 now);
void record_wanted(const char *name, const struct object *loader, bool opened);
void record_candidate(const char *path, enum found_by rule, int err);
void record_directory(const char *path, bool present);
void record_found(const struct object *object, int err);
void record_object(const struct object *object);
/* entries first..end of a table */
void record_values(const struct object *object, enum reloc_table which, u64 first, u64 end);
void record_relocated(const struct object *object, bool lazy, u64 since);
void record_stored(const struct object *object, u32 symbol, const struct binding *found, u64 place, u64 value, u32 type);
void record_lazy(const struct object *object, u64 index, const struct binding *found, u64 value, u64 since);
void record_protected(const struct object *object, u64 start, u64 len);
void record_call(const struct object *object, enum call_kind kind, u64 function, bool returned);
void record_opening(const char *name, int mode, const struct object *caller);
void record_opened(const char *name, const struct object *object);
void record_closing(const struct object *object);
void record_kept(void);
void record_unload(const struct object *object);
void record_cache(enum cache_news news, const char *text);
void record_cached(const struct object *object, enum cache_part part, const char *text, u64 pages, u64 read_only);
void record_tls_module(const struct object *object);
void record_error(const char *text);
void record_tls_block(u64 module, u64 size);

#endif
