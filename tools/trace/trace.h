/* trace.h - the record of a run (include/ldr/trace.h) as stories: what happened when, for how long, to which object.
 *
 *   read.c    bytes of the record, checked -> events            text.c    stories for people
 *   model.c   events -> objects, stories                        json.c    one JSON object a line
 *   clock.c   ticks -> nanoseconds                              words.c   names of stories, the filter
 *   pids.c    a number for each process
 *   names.c   files -> names of symbols and functions           viewer.c  Trace Event format (Perfetto, chrome://tracing)
 */
#ifndef LDR_TRACE_TRACE_H
#define LDR_TRACE_TRACE_H

#include "../../include/ldr/trace.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ---- read.c */
struct raw_event {
    const struct trace_event *event;
    uint32_t maker; /* pid of the chunk's maker: a forked child writes on in its parent's chunk */
};
struct record {
    char *bytes;
    size_t len;
    struct raw_event *events; /* by time; inside one chunk in the order of writing where times are equal */
    size_t count;
    uint64_t unfinished;      /* events begun and never finished: their writer was killed */
    uint64_t lost;            /* chunks whose rest cannot be understood */
    bool empty;               /* not a byte: nobody wrote (with false from record_read, and no message) */
};
/* record_read - the whole file, every length in it checked
 *   fd      of the file, left open; -1: it is opened by its path, which is a name for messages else
 *   returns false after one message when it is no record. record_free also then */
bool record_read(int fd, const char *path, struct record *record);
void record_free(struct record *record);
/* record_text - the next text of an event behind *at; NULL at its end. *at starts as the bytes of the fixed part. */
const char *record_text(const struct trace_event *event, size_t *at);
/* record_argument - the same for the arguments of a PROCESS event, *i of which were taken: its padding reads as empty texts. */
const char *record_argument(const struct trace_event *event, unsigned *i, size_t *at);

/* ---- names.c */
struct elf_names;
struct traced {               /* one object in one process */
    uint64_t id, bias, start, end;
    uint32_t rule, flag;
    const char *path, *name;
    const struct trace_object *event;
    struct traced *loader;
    struct elf_names *names;  /* of its file; NULL until asked for */
    uint64_t tls_module;
    bool gone;
};
/* names_of - the file's names; each file is read once. Never NULL; answers nothing when the file is gone or another one by now. */
struct elf_names *names_of(struct traced *object);
bool names_known(struct elf_names *names);
struct entry_names { uint64_t place, addend; uint32_t type, symbol; const char *name, *version; bool local; };
/* names_entry - what relocation entry `index` of a table (0 DT_RELA, 1 DT_JMPREL) refers to; false: nothing, or no such entry */
bool names_entry(struct elf_names *names, uint32_t table, uint64_t index, struct entry_names *out);
bool names_symbol(struct elf_names *names, uint32_t symbol, struct entry_names *out);
/* names_defines - does a lookup of that name and version end at this object? */
bool names_defines(struct elf_names *names, const char *name, const char *version);
/* names_stands_at - has it a symbol of that name with that link-time address, whatever the version? */
bool names_stands_at(struct elf_names *names, const char *name, uint64_t vaddr);
/* names_function - the function that starts at this link-time address; NULL: no name is known */
const char *names_function(struct elf_names *names, uint64_t vaddr);
void names_free_all(void);

/* ---- clock.c */

struct trace_clock {
    uint64_t tick0;                   /* of the first event: nanosecond 0 */
    double ns_per_tick;
    uint64_t mono;                    /* CLOCK_MONOTONIC at tick0, nanoseconds; 0: not known */
};
/* trace_clock_of - by the events that tell the time; says so when it went backwards */
struct trace_clock trace_clock_of(const struct record *record);
uint64_t trace_clock_ns(const struct trace_clock *clock, uint64_t ticks);

/* ---- model.c */
enum story_kind {
    STORY_PROCESS, STORY_PHASE, STORY_SEARCH, STORY_TRY, STORY_DIRECTORY, STORY_MAP, STORY_RELOCATE, STORY_BIND, STORY_LAZY, STORY_PROTECT,
    STORY_CONSTRUCTOR, STORY_DESTRUCTOR, STORY_OPEN, STORY_CLOSE, STORY_KEEP, STORY_UNLOAD, STORY_TLS, STORY_TLS_BLOCK, STORY_ERROR, STORY_CACHE, STORY_KINDS
};
#define NO_DURATION UINT64_MAX   /* an instant, or something whose end was never told */

struct story {
    uint64_t start, duration;    /* ns since the record's first event */
    enum story_kind kind;
    uint32_t pid, tid;
    struct traced *object, *other;
    const char *name, *version, *word; /* symbol, library or path; its version; a reason or rule */
    const struct trace_event *event;
    uint64_t value, place;
    int error;
    bool ended;
};
struct trace_model {
    struct story *stories;       /* by start */
    size_t *next;                /* of each story the next one of its process; count: none */
    size_t count;
    uint64_t end;                /* ns of the last event */
    uint64_t mono;               /* CLOCK_MONOTONIC of the record's first event, ns */
    uint64_t unnamed;            /* bindings whose file is gone or changed */
};
struct story_filter {
    const char *object, *symbol; /* patterns of fnmatch(3) on path or base name, and symbol; NULL: all */
    uint32_t kinds;              /* bit per enum story_kind */
};
void model_make(const struct record *record, const struct story_filter *filter, struct trace_model *model);
void model_free(struct trace_model *model);

/* ---- words.c */

bool story_passes(const struct story *story, const struct story_filter *filter);
const char *story_kind_name(enum story_kind kind);
int story_kind_of(const char *name); /* -1: unknown */
const char *phase_name(unsigned phase);
/* path, or "?" for none; the last component for people */
const char *traced_path(const struct traced *object);
const char *traced_short(const struct traced *object);

/* ---- printers: stories that pass the filter */
struct wall { uint64_t start, end; }; /* CLOCK_MONOTONIC of start and end of the command, ns; 0: not known */
void trace_text(const struct trace_model *model, const struct story_filter *filter, const struct wall *wall, FILE *out);
void trace_json(const struct trace_model *model, const struct story_filter *filter, FILE *out);
void trace_viewer(const struct trace_model *model, const struct story_filter *filter, FILE *out);

#endif
