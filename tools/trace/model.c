/* model.c - events to stories: objects by process, beginnings joined with their ends, words at relocated places with the definition they
 * came from. Events are taken in the order of time, so an object is known before anything refers to it; a number nobody declared is
 * shown as "?". */
#include "pids.h"
#include "trace.h"

#include "../ldr.h"

#include <elf.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NO_STORY SIZE_MAX

struct open_story { uint32_t tid; enum story_kind kind; uint64_t key; size_t story; };

struct process {
    struct traced **objects;
    size_t object_count, object_room;
    struct open_story *open;
    size_t open_count, open_room;
    size_t start, phase;       /* stories */
};

struct maker {
    struct trace_model *model;
    const struct story_filter *filter;
    struct process **processes;
    struct pids pids;          /* where in processes */
    size_t room;
    struct trace_clock clock;
};

static struct traced **every_object;
static size_t every_count, every_room;

/* ---- processes and objects ------------------------------------------------------------------------------------------ */

static struct process *process_of_pid(struct maker *maker, uint32_t pid, bool *added) {
    size_t *number = pids_at(&maker->pids, pid, added);
    if (!*added)
        return maker->processes[*number];
    *number = maker->pids.count - 1;
    struct process *process = must_alloc(1, sizeof *process);
    *process = (struct process){ .start = NO_STORY, .phase = NO_STORY };
    maker->processes = must_grow(maker->processes, maker->pids.count, sizeof *maker->processes);
    return maker->processes[*number] = process;
}

static void object_add(struct process *process, struct traced *object) {
    if (process->object_count == process->object_room)
        process->objects = must_grow(process->objects, process->object_room = process->object_room * 2 + 16, sizeof *process->objects);
    process->objects[process->object_count++] = object;
}

/* The process of an event. One that was never declared is a child forked by the maker of the chunk: it begins with its parent's objects. */
static struct process *process_of(struct maker *maker, const struct raw_event *raw) {
    bool added, unknown;
    struct process *process = process_of_pid(maker, raw->event->pid, &added);
    if (!added || raw->event->type == TRACE_PROCESS || raw->maker == raw->event->pid)
        return process;
    const struct process *parent = process_of_pid(maker, raw->maker, &unknown);
    for (size_t i = 0; i < parent->object_count; i++)
        object_add(process, parent->objects[i]);
    return process;
}

static struct traced *object_find(const struct process *process, uint64_t id) {
    for (size_t i = process->object_count; id && i-- > 0;)
        if (process->objects[i]->id == id)
            return process->objects[i];
    return NULL;
}

static struct traced *object_at(const struct process *process, uint64_t address) {
    for (size_t i = process->object_count; i-- > 0;)
        if (address >= process->objects[i]->start && address < process->objects[i]->end)
            return process->objects[i];
    return NULL;
}

static void object_forget(struct process *process, uint64_t id) {
    for (size_t i = process->object_count; i-- > 0;)
        if (process->objects[i]->id == id) {
            memmove(&process->objects[i], &process->objects[i + 1], (process->object_count - i - 1) * sizeof *process->objects);
            process->object_count--;
            return;
        }
}

/* ---- stories -------------------------------------------------------------------------------------------------------- */

static uint64_t ns_of(const struct maker *maker, uint64_t ticks) { return trace_clock_ns(&maker->clock, ticks); }

static struct story *tell(struct maker *maker, const struct raw_event *raw, enum story_kind kind, struct traced *object) {
    struct trace_model *model = maker->model;
    if (model->count == maker->room)
        model->stories = must_grow(model->stories, maker->room = maker->room * 2 + 1024, sizeof *model->stories);
    struct story *story = &model->stories[model->count++];
    *story = (struct story){ .start = ns_of(maker, raw->event->time), .duration = NO_DURATION, .kind = kind, .pid = raw->event->pid,
                             .tid = raw->event->tid, .object = object, .event = raw->event };
    return story;
}

static void set_since(const struct maker *maker, struct story *story, uint64_t since) {
    uint64_t end = story->start, start = ns_of(maker, since);
    story->start = start < end ? start : end;
    story->duration = end - story->start;
    story->ended = true;
}

static void begin(struct maker *maker, struct process *process, const struct story *story, uint64_t key) {
    if (process->open_count == process->open_room)
        process->open = must_grow(process->open, process->open_room = process->open_room * 2 + 16, sizeof *process->open);
    process->open[process->open_count++] =
        (struct open_story){ story->tid, story->kind, key, (size_t)(story - maker->model->stories) };
}

/* The story this event ends: the last one open of its kind and key in its thread. What was opened later in that thread and of that kind
 * never ended (a jump out of a constructor). */
static struct story *end(struct maker *maker, struct process *process, const struct raw_event *raw, enum story_kind kind, uint64_t key) {
    for (size_t i = process->open_count; i-- > 0;) {
        struct open_story *open = &process->open[i];
        if (open->tid != raw->event->tid || open->kind != kind || open->key != key)
            continue;
        struct story *story = &maker->model->stories[open->story];
        uint64_t now = ns_of(maker, raw->event->time);
        story->duration = now > story->start ? now - story->start : 0;
        story->ended = true;
        memmove(open, open + 1, (process->open_count - i - 1) * sizeof *open);
        process->open_count--;
        return story;
    }
    return NULL;
}

/* ---- one function for each event that needs more than a line -------------------------------------------------------- */

static void tell_object(struct maker *maker, struct process *process, const struct raw_event *raw) {
    const struct trace_object *fixed = (const void *)(raw->event + 1);
    size_t at = sizeof *fixed + fixed->segments * sizeof(struct trace_segment);
    const char *path = record_text(raw->event, &at), *name = record_text(raw->event, &at);
    struct traced *object = must_alloc(1, sizeof *object);
    *object = (struct traced){ .id = fixed->object, .bias = fixed->bias, .start = fixed->start, .end = fixed->end, .rule = fixed->rule,
                               .flag = raw->event->flag, .path = path ? path : "?", .name = name ? name : "", .event = fixed,
                               .loader = object_find(process, fixed->loader) };
    if (every_count == every_room)
        every_object = must_grow(every_object, every_room = every_room * 2 + 64, sizeof *every_object);
    every_object[every_count++] = object;
    object_forget(process, fixed->object);
    object_add(process, object);
    tell(maker, raw, STORY_MAP, object)->other = object->loader;
    if (object->flag & TRACE_IS_PROGRAM && process->start != NO_STORY)
        maker->model->stories[process->start].object = object;
}

/* Whose definition the word at a relocated place leads to. By its address; the vDSO and ld-ldr.so answer for libc and the genuine linker
 * (by IFUNC resolvers, and for functions that must be ours), and so does whoever defines the name first. */
static struct traced *definer_of(const struct process *process, uint64_t address, const char *name, const char *version) {
    struct traced *at = object_at(process, address);
    if (at && !(at->flag & (TRACE_IS_VDSO | TRACE_IS_SELF)) &&
        (names_defines(names_of(at), name, version) || names_stands_at(names_of(at), name, address - at->bias))) /* unique: of another version */
        return at;
    for (size_t i = 0; i < process->object_count; i++) {
        struct traced *object = process->objects[i];
        if (!(object->flag & (TRACE_IS_VDSO | TRACE_IS_SELF)) && names_defines(names_of(object), name, version))
            return object;
    }
    return at;
}

static bool word_to_address(const struct entry_names *entry, uint64_t bias, uint64_t word, uint64_t *address) {
    switch (entry->type) {
    case R_X86_64_64:
    case R_X86_64_GLOB_DAT:
    case R_X86_64_JUMP_SLOT: *address = word - entry->addend; return true;
    case R_X86_64_32: *address = (uint32_t)word - entry->addend; return true;
    case R_X86_64_32S: *address = (uint64_t)(int64_t)(int32_t)word - entry->addend; return true;
    case R_X86_64_PC32: *address = (uint64_t)(int64_t)(int32_t)word - entry->addend + bias + entry->place; return true;
    case R_X86_64_PC64: *address = word - entry->addend + bias + entry->place; return true;
    default: return false; /* TLS, copies and IRELATIVE are told by events of their own, or bind nothing */
    }
}

static void tell_values(struct maker *maker, struct process *process, const struct raw_event *raw) {
    const struct trace_values *fixed = (const void *)(raw->event + 1);
    const uint64_t *wide = (const void *)(fixed + 1);
    const uint32_t *narrow = (const void *)(fixed + 1);
    struct traced *object = object_find(process, fixed->object);
    if (!object || !(maker->filter->kinds >> STORY_BIND & 1))
        return;
    struct elf_names *names = names_of(object);
    if (!names_known(names)) {
        maker->model->unnamed += fixed->count;
        return;
    }
    uint32_t last = 0;
    struct traced *last_definer = NULL;
    uint64_t last_address = 0;
    for (uint32_t i = 0; i < fixed->count; i++) {
        struct entry_names entry;
        uint64_t address, word = raw->event->flag != TRACE_NARROW ? wide[i]
                                 : narrow[i] == TRACE_NARROW_ZERO ? 0 : fixed->base + (uint64_t)(int64_t)(int32_t)narrow[i];
        if (!names_entry(names, fixed->table, fixed->first + i, &entry) || entry.local ||
            !word_to_address(&entry, object->bias, word, &address))
            continue;
        if (maker->filter->symbol && fnmatch(maker->filter->symbol, entry.name, 0) != 0)
            continue;
        if (entry.symbol != last || address != last_address)
            last_definer = address ? definer_of(process, address, entry.name, entry.version) : NULL;
        last = entry.symbol;
        last_address = address;
        struct story *story = tell(maker, raw, STORY_BIND, object);
        story->other = last_definer;
        story->name = entry.name;
        story->version = entry.version;
        story->place = object->bias + entry.place;
        story->value = word;
        story->word = fixed->table ? "function" : "data";
    }
}

static const char *stored_word(uint32_t type) {
    switch (type) {
    case R_X86_64_COPY: return "copy";
    case R_X86_64_DTPMOD64: return "tls-module";
    case R_X86_64_DTPOFF64:
    case R_X86_64_DTPOFF32: return "tls-offset";
    case R_X86_64_TPOFF64:
    case R_X86_64_TPOFF32: return "tls-static";
    case R_X86_64_TLSDESC: return "tls-descriptor";
    default: return "data";
    }
}

static void tell_stored(struct maker *maker, struct process *process, const struct raw_event *raw) {
    const struct trace_stored *fixed = (const void *)(raw->event + 1);
    struct traced *object = object_find(process, fixed->object);
    struct entry_names entry = { 0 };
    if (!object || !fixed->symbol || !(maker->filter->kinds >> STORY_BIND & 1))
        return;
    bool known = names_symbol(names_of(object), fixed->symbol, &entry);
    maker->model->unnamed += !known;
    if (!known || entry.local)
        return;
    struct story *story = tell(maker, raw, STORY_BIND, object);
    story->other = object_find(process, fixed->definer);
    story->name = entry.name;
    story->version = entry.version;
    story->place = fixed->place;
    story->value = fixed->value;
    story->word = stored_word(fixed->kind);
}

static void tell_lazy(struct maker *maker, struct process *process, const struct raw_event *raw) {
    const struct trace_lazy *fixed = (const void *)(raw->event + 1);
    struct traced *object = object_find(process, fixed->object);
    struct entry_names entry = { 0 };
    bool known = object && names_entry(names_of(object), 1, fixed->index, &entry);
    struct story *story = tell(maker, raw, STORY_LAZY, object);
    set_since(maker, story, fixed->since);
    story->other = object_find(process, fixed->definer);
    story->name = known ? entry.name : NULL;
    story->version = known ? entry.version : NULL;
    story->place = known ? object->bias + entry.place : 0;
    story->value = fixed->value;
    maker->model->unnamed += !known;
}

static void tell_phase(struct maker *maker, struct process *process, const struct raw_event *raw) {
    if (process->phase != NO_STORY) {
        struct story *last = &maker->model->stories[process->phase];
        uint64_t now = ns_of(maker, raw->event->time);
        last->duration = now > last->start ? now - last->start : 0;
        last->ended = true;
        last->place = (uint64_t)(uintptr_t)raw->event; /* where its faults end */
    }
    process->phase = NO_STORY;
    if (raw->event->flag == TRACE_END)
        return;
    struct story *story = tell(maker, raw, STORY_PHASE, NULL);
    story->name = phase_name(raw->event->flag);
    process->phase = (size_t)(story - maker->model->stories);
}

static void tell_process(struct maker *maker, struct process *process, const struct raw_event *raw) {
    /* A new program in an old process: everything of before is gone with its memory. */
    process->object_count = 0;
    process->open_count = 0;
    process->phase = NO_STORY;
    size_t at = sizeof(struct trace_process);
    struct story *story = tell(maker, raw, STORY_PROCESS, NULL);
    story->name = record_text(raw->event, &at);
    process->start = (size_t)(story - maker->model->stories);
}

static void tell_call(struct maker *maker, struct process *process, const struct raw_event *raw, bool returned) {
    const struct trace_call *fixed = (const void *)(raw->event + 1);
    enum story_kind kind = raw->event->flag >= TRACE_FINI_ARRAY ? STORY_DESTRUCTOR : STORY_CONSTRUCTOR;
    if (returned) {
        end(maker, process, raw, kind, fixed->function);
        return;
    }
    struct traced *object = object_find(process, fixed->object);
    struct story *story = tell(maker, raw, kind, object);
    story->value = fixed->function;
    story->name = object ? names_function(names_of(object), fixed->function - object->bias) : NULL;
    begin(maker, process, story, fixed->function);
}

/* Of a whole start (`of` NULL) or of one object. */
static void tell_cache(struct maker *maker, struct process *process, const struct raw_event *raw, const struct trace_cached *of) {
    size_t at = of ? sizeof *of : 0;
    struct story *story = tell(maker, raw, STORY_CACHE, of ? object_find(process, of->object) : NULL);
    story->word = record_text(raw->event, &at);
    story->value = raw->event->flag;
}

/* The dlopen of this thread that is under way fails of it; errors of a nested one came while that was the innermost. */
static void tell_why(struct maker *maker, struct process *process, const struct raw_event *raw, const char *text) {
    for (size_t i = process->open_count; i-- > 0;)
        if (process->open[i].tid == raw->event->tid && process->open[i].kind == STORY_OPEN) {
            maker->model->stories[process->open[i].story].word = text;
            return;
        }
}

static void tell_event(struct maker *maker, const struct raw_event *raw) {
    const struct trace_event *event = raw->event;
    struct process *process = process_of(maker, raw);
    const void *fixed = event + 1;
    struct story *story;
    size_t at;
    switch ((enum trace_type)event->type) {
    case TRACE_PROCESS: tell_process(maker, process, raw); return;
    case TRACE_PHASE: tell_phase(maker, process, raw); return;
    case TRACE_WANTED:
        at = sizeof(struct trace_wanted);
        story = tell(maker, raw, STORY_SEARCH, object_find(process, ((const struct trace_wanted *)fixed)->loader));
        story->name = record_text(event, &at);
        begin(maker, process, story, 0);
        return;
    case TRACE_FOUND:
        story = end(maker, process, raw, STORY_SEARCH, 0);
        if (story) {
            story->other = object_find(process, ((const struct trace_found *)fixed)->object);
            story->error = ((const struct trace_found *)fixed)->error;
        }
        return;
    case TRACE_CANDIDATE:
        at = sizeof(struct trace_candidate);
        story = tell(maker, raw, STORY_TRY, NULL);
        story->name = record_text(event, &at);
        story->error = ((const struct trace_candidate *)fixed)->error;
        story->value = ((const struct trace_candidate *)fixed)->rule;
        return;
    case TRACE_DIRECTORY:
        at = 0;
        story = tell(maker, raw, STORY_DIRECTORY, NULL);
        story->name = record_text(event, &at);
        story->value = event->flag;
        return;
    case TRACE_OBJECT: tell_object(maker, process, raw); return;
    case TRACE_RELOCATED:
        story = tell(maker, raw, STORY_RELOCATE, object_find(process, ((const struct trace_relocated *)fixed)->object));
        set_since(maker, story, ((const struct trace_relocated *)fixed)->since);
        return;
    case TRACE_VALUES: tell_values(maker, process, raw); return;
    case TRACE_STORED: tell_stored(maker, process, raw); return;
    case TRACE_LAZY: tell_lazy(maker, process, raw); return;
    case TRACE_PROTECTED:
        tell(maker, raw, STORY_PROTECT, object_find(process, ((const struct trace_protected *)fixed)->object));
        return;
    case TRACE_CALL: tell_call(maker, process, raw, false); return;
    case TRACE_RETURN: tell_call(maker, process, raw, true); return;
    case TRACE_OPENING:
        at = sizeof(struct trace_opening);
        story = tell(maker, raw, STORY_OPEN, object_find(process, ((const struct trace_opening *)fixed)->caller));
        story->name = record_text(event, &at);
        story->value = event->flag;
        begin(maker, process, story, 0);
        return;
    case TRACE_OPENED:
        story = end(maker, process, raw, STORY_OPEN, 0);
        if (story)
            story->other = object_find(process, ((const struct trace_opened *)fixed)->object);
        if (story && story->other)
            story->word = NULL;       /* an error of before, of a dlsym in a constructor perhaps */
        return;
    case TRACE_CLOSING:
        at = sizeof(struct trace_closing);
        story = tell(maker, raw, STORY_CLOSE, object_find(process, ((const struct trace_closing *)fixed)->object));
        story->word = record_text(event, &at);
        story->value = ((const struct trace_closing *)fixed)->opens_left;
        return;
    case TRACE_KEPT:
        at = sizeof(struct trace_kept);
        story = tell(maker, raw, STORY_KEEP, object_find(process, ((const struct trace_kept *)fixed)->object));
        story->other = object_find(process, ((const struct trace_kept *)fixed)->by);
        story->word = record_text(event, &at);
        return;
    case TRACE_UNLOADED:
        tell(maker, raw, STORY_UNLOAD, object_find(process, ((const struct trace_unloaded *)fixed)->object));
        object_forget(process, ((const struct trace_unloaded *)fixed)->object);
        return;
    case TRACE_TLS_MODULE:
        story = tell(maker, raw, STORY_TLS, object_find(process, ((const struct trace_tls_module *)fixed)->object));
        if (story->object)
            story->object->tls_module = ((const struct trace_tls_module *)fixed)->module;
        return;
    case TRACE_TLS_BLOCK: {
        const struct trace_tls_block *block = fixed;
        story = tell(maker, raw, STORY_TLS_BLOCK, NULL);
        for (size_t i = process->object_count; i-- > 0 && !story->object;)
            if (block->module && process->objects[i]->tls_module == block->module)
                story->object = process->objects[i];
        return;
    }
    case TRACE_CACHE: tell_cache(maker, process, raw, NULL); return;
    case TRACE_CACHED: tell_cache(maker, process, raw, fixed); return;
    case TRACE_ERROR:
        at = 0;
        story = tell(maker, raw, STORY_ERROR, NULL);
        story->name = record_text(event, &at);
        tell_why(maker, process, raw, story->name);
        return;
    case TRACE_TYPES: return;
    }
}

static int by_start(const void *a, const void *b) {
    const struct story *x = a, *y = b;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    if (x->event != y->event)
        return x->event < y->event ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

static void link_stories(struct trace_model *model) {
    struct pids later = { 0 };
    bool added;
    model->next = must_alloc(model->count, sizeof *model->next);
    for (size_t i = model->count; i-- > 0;) {
        size_t *next = pids_at(&later, model->stories[i].pid, &added);
        model->next[i] = added ? model->count : *next;
        *next = i;
    }
    pids_free(&later);
}

void model_make(const struct record *record, const struct story_filter *filter, struct trace_model *model) {
    *model = (struct trace_model){ 0 };
    struct maker maker = { .model = model, .filter = filter, .clock = trace_clock_of(record) };
    model->mono = maker.clock.mono;
    for (size_t i = 0; i < record->count; i++)
        tell_event(&maker, &record->events[i]);
    if (record->count)
        model->end = ns_of(&maker, record->events[record->count - 1].event->time);
    qsort(model->stories, model->count, sizeof *model->stories, by_start);
    link_stories(model);
    for (size_t i = 0; i < maker.pids.count; i++) {
        free(maker.processes[i]->objects);
        free(maker.processes[i]->open);
        free(maker.processes[i]);
    }
    free(maker.processes);
    pids_free(&maker.pids);
}

void model_free(struct trace_model *model) {
    free(model->stories);
    free(model->next);
    for (size_t i = 0; i < every_count; i++)
        free(every_object[i]);
    free(every_object);
    every_object = NULL;
    every_count = every_room = 0;
    names_free_all();
    *model = (struct trace_model){ 0 };
}
