/* events.c - who is told of an event: LD_DEBUG's lines, the record, or both. Reached only when session.watch has a bit for it. */
#include "events.h"
#include "ld_debug.h"
#include "record.h"
#include "../arch/arch.h"

static COLD_DATA struct ld_debug_counts counts;
static COLD_DATA u64 phase_began;
static COLD_DATA enum phase phase_now;
static COLD_DATA bool search_told;        /* an empty line is due behind it */

u64 events_clock_(void)
{
    return __builtin_ia32_rdtsc();
}

void events_begin(void)
{
    struct config *config = &session.config;
    u32 bits = config->debug && !config->secure ? ld_debug_categories(config->debug) : 0;
    if (bits & WATCH_HELP)
        ld_debug_help();
    config->trace_unused = (bits & WATCH_UNUSED) != 0;
    bits &= ~(u32)WATCH_UNUSED;       /* not told while linking: it changes what LD_TRACE_LOADED_OBJECTS lists */
    if (bits)
        ld_debug_begin();
    phase_began = events_clock_();
    if (config->record && !config->secure && record_begin(config->record))
        bits |= WATCH_RECORD;
    session.watch = bits;
}

void (*events_lookup_watch(void))(const struct symbol_want *, const struct object *)
{
    return WATCHED(WATCH_SYMBOLS) ? ld_debug_lookup : NULL;
}

void events_debug_printf(const char *format, ...)
{
    __builtin_va_list args;
    __builtin_va_start(args, format);
    const char *first = __builtin_va_arg(args, const char *);
    __builtin_va_end(args);
    ld_debug_text(format, first, NULL);
}

/* ---- phases --------------------------------------------------------------------------------------------------------- */

void events_phase_(enum phase phase)
{
    u64 now = events_clock_();
    if (WATCHED(WATCH_RECORD))
        record_phase(phase, now);
    if (phase_now == PHASE_LOAD)
        counts.load += now - phase_began;
    if (phase_now == PHASE_RELOCATE)
        counts.relocation += now - phase_began;
    counts.total += phase >= PHASE_FINISH ? 0 : now - phase_began;
    phase_began = now;
    phase_now = phase;
    if (phase == PHASE_CONSTRUCTORS && WATCHED(WATCH_STATISTICS))
        ld_debug_statistics(&counts);
    if (phase == PHASE_FINISH && WATCHED(WATCH_STATISTICS))
        ld_debug_final(&counts);
}

/* ---- loading -------------------------------------------------------------------------------------------------------- */

/* The genuine linker is searched and mapped by us only; whoever reads LD_DEBUG's lines expects it to be there from the beginning. */
static bool is_linker_name(const char *name)
{
    return str_equal(str_base(name), "ld-linux-x86-64.so.2");
}

void events_wanted_(const char *name, const struct object *loader, bool opened)
{
    if (WATCHED(WATCH_RECORD))
        record_wanted(name, loader, opened);
    session.search.watch = NULL;
    if (is_linker_name(name))
        return;
    if (WATCHED(WATCH_FILES) && loader)
        ld_debug_wanted(name, loader, opened);
    if (!WATCHED(WATCH_LIBS))
        return;
    search_told = !str_chr(name, '/');
    if (search_told)
        ld_debug_searching(name);
    session.search.watch = ld_debug_watch_search;
}

void events_candidate_(const char *path, enum found_by rule, int err)
{
    record_candidate(path, rule, err);
}

void events_directory_(const char *path, bool present)
{
    record_directory(path, present);
}

static void end_search(void)
{
    if (search_told)
        ld_debug_text("\n", NULL, NULL);
    search_told = false;
}

void events_found_(const char *name, const struct object *object, int err)
{
    if (WATCHED(WATCH_RECORD))
        record_found(object, err);
    end_search();
}

void events_mapped_(const struct object *object)
{
    if (WATCHED(WATCH_RECORD))
        record_object(object);
    end_search();
    /* Nothing is told of what the kernel mapped: the vDSO, and the program unless we were started by name. */
    bool by_kernel = object->is_vdso || (object->is_program && session.way == START_INTERPRETER);
    if (WATCHED(WATCH_FILES) && !by_kernel && !is_linker_name(object->path))
        ld_debug_mapped(object);
}

void events_version_(const struct object *object, const struct object *from, const char *version)
{
    ld_debug_version(object, from, version);
}

void events_scopes_(const struct object *object, u32 from, const struct object *first)
{
    if (first)
        ld_debug_text("\nInitial object scopes\n", NULL, NULL);
    for (; first; first = first->next)
        ld_debug_scopes(first, from);
    if (object)
        ld_debug_scopes(object, from);
}

/* ---- relocation ----------------------------------------------------------------------------------------------------- */

void events_relocating_(const struct object *object, bool lazy)
{
    ld_debug_relocating(object, lazy);
}

static void count_table(const struct rela_table *table)
{
    u64 last = 0;
    for (u64 i = 0; i < table->count; i++) {
        u64 symbol = ELF64_R_SYM(table->at[i].r_info);
        counts.relative += ELF64_R_TYPE(table->at[i].r_info) == R_X86_64_RELATIVE;
        if (symbol && symbol == last)
            counts.repeated++;
        else if (symbol)
            counts.symbolic++;
        last = symbol;
    }
}

void events_relocated_(const struct object *object, bool lazy, u64 since)
{
    if (WATCHED(WATCH_STATISTICS)) {
        count_table(&object->image.rela);
        if (!lazy)
            count_table(&object->image.plt);
    }
    if (WATCHED(WATCH_RECORD))
        record_relocated(object, lazy, since);
}

void events_bound_(const struct reference *reference, const struct symbol_want *want, const struct binding *found)
{
    ld_debug_bound(reference, want, found);
}

void events_values_(const struct object *object, enum reloc_table which, u64 first, u64 count)
{
    record_values(object, which, first, first + count);
}

void events_stored_(const struct object *object, u32 symbol, const struct binding *found, u64 place, u64 value, u32 type)
{
    record_stored(object, symbol, found, place, value, type);
}

void events_lazy_(const struct object *object, u64 index, const struct binding *found, u64 value, u64 since)
{
    record_lazy(object, index, found, value, since);
}

void events_protected_(const struct object *object, u64 start, u64 len)
{
    record_protected(object, start, len);
}

/* ---- constructors, destructors -------------------------------------------------------------------------------------- */

void events_calling_(const struct object *object, enum call_kind kind)
{
    ld_debug_calling(object, kind);
}

void events_call_(const struct object *object, enum call_kind kind, u64 function)
{
    record_call(object, kind, function, false);
}

void events_returned_(const struct object *object, enum call_kind kind, u64 function)
{
    record_call(object, kind, function, true);
}

/* ---- dlopen, dlclose, cache, TLS ------------------------------------------------------------------------------------------- */

void events_error_(const char *text)
{
    record_error(text);
}

void events_opening_(const char *name, int mode, const struct object *caller)
{
    record_opening(name, mode, caller);
}

void events_opened_(const char *name, const struct object *object)
{
    if (WATCHED(WATCH_RECORD))
        record_opened(name, object);
    if (WATCHED(WATCH_FILES) && object)
        ld_debug_opened(object);
}

void events_closing_(const struct object *object)
{
    if (WATCHED(WATCH_RECORD))
        record_closing(object);
    if (WATCHED(WATCH_FILES) && (object->open_count || object->at_start))       /* what goes is told as it goes */
        ld_debug_closing(object);
}

void events_sweep_(void)
{
    record_kept();
}

void events_unload_(const struct object *object)
{
    if (WATCHED(WATCH_RECORD))
        record_unload(object);
    if (WATCHED(WATCH_FILES))
        ld_debug_unload(object);
}

void events_cache_(enum cache_news news, const char *text)
{
    if (WATCHED(WATCH_RECORD))
        record_cache(news, text);
    if (WATCHED(WATCH_CACHE))
        ld_debug_cache(news, text);
}

void events_cached_(const struct object *object, enum cache_part part, const char *text, u64 pages, u64 read_only)
{
    if (WATCHED(WATCH_RECORD))
        record_cached(object, part, text, pages, read_only);
    if (WATCHED(WATCH_CACHE))
        ld_debug_cached(object, part, text, pages, read_only);
}

void events_tls_module_(const struct object *object)
{
    record_tls_module(object);
}

void events_tls_block_(u64 module, u64 size)
{
    record_tls_block(module, size);
}
