/* ld_debug.h - LD_DEBUG: the lines, one function for each thing told. Private to debug/; events.c decides who is told. */
#ifndef LDR_LD_DEBUG_H
#define LDR_LD_DEBUG_H

#include "events.h"

/* ld_debug_categories - bits of the words in LD_DEBUG; says which word it does not know. ld_debug_begin - where lines go. */
u32 ld_debug_categories(const char *words);
_Noreturn void ld_debug_help(void);
void ld_debug_begin(void);
void ld_debug_text(const char *format, const char *first, const char *second);
void ld_debug_wanted(const char *name, const struct object *loader, bool opened);
void ld_debug_searching(const char *name);
void ld_debug_mapped(const struct object *object);
void ld_debug_version(const struct object *object, const struct object *from, const char *version);
void ld_debug_scopes(const struct object *object, u32 from);
void ld_debug_relocating(const struct object *object, bool lazy);
void ld_debug_lookup(const struct symbol_want *want, const struct object *object);
void ld_debug_bound(const struct reference *reference, const struct symbol_want *want, const struct binding *found);
void ld_debug_calling(const struct object *object, enum call_kind kind);
void ld_debug_opened(const struct object *object);
void ld_debug_closing(const struct object *object);
void ld_debug_unload(const struct object *object);
void ld_debug_cache(enum cache_news news, const char *text);
void ld_debug_cached(const struct object *object, enum cache_part part, const char *text, u64 pages, u64 read_only);
void ld_debug_watch_search(struct search *search, enum search_step step, const char *path, enum found_by rule, const struct object *owner);

/* statistics: cycles of the phases, and what was relocated. */
struct ld_debug_counts { u64 total, relocation, load, symbolic, repeated, relative; };
void ld_debug_statistics(const struct ld_debug_counts *counts);
void ld_debug_final(const struct ld_debug_counts *counts);

#endif
