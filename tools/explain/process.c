/* process.c - a running process beside the session that its start would be: which mapping is which object, and what a word holds now. */
#include "../host/life.h"
#include "../ldr.h"
#include "mappings.h"
#include "place.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NANO 1000000000ull

/* Before 1970 is 1970. */
static u64 nanoseconds(const struct timespec *time) { return time->tv_sec < 0 ? 0 : (u64)time->tv_sec * NANO + (u64)time->tv_nsec; }

/* The device and inode by which mappings name a file: on some filesystems (overlayfs, btrfs) others than stat(2) tells. So each file of the
 * session is found among our own mappings, where the catalog has it. */
struct identity { u64 dev, ino; };

static struct identity *identities(const struct session *session) {
    struct identity *list = must_alloc(session->count, sizeof *list);
    size_t count;
    struct mapping *own = mappings_read(getpid(), &count);
    for (const struct object *object = session->first; object; object = object->next) {
        const struct node *node = object_node(object);
        uintptr_t bytes = node->file ? (uintptr_t)node->file->bytes : 0;
        list[node->number] = (struct identity){ object->dev, object->ino };
        for (size_t i = 0; own && i < count; i++)
            if (bytes && bytes >= own[i].start && bytes < own[i].end)
                list[node->number] = (struct identity){ own[i].dev, own[i].ino };
    }
    mappings_free(own, count);
    return list;
}

/* Whether a mapping's path is that of the file, which may be gone since. */
static bool is_path_of(const struct node *node, const char *path, bool *deleted) {
    const char *own = node->file ? node->file->real_path ? node->file->real_path : node->file->path : NULL;
    size_t len = own ? strlen(own) : 0;
    *deleted = own && strncmp(path, own, len) == 0 && strcmp(path + len, " (deleted)") == 0;
    return *deleted || (own && strcmp(path, own) == 0);
}

static void note_mapping(struct process_view *view, const struct session *session, const struct identity *known, const struct mapping *line) {
    for (const struct object *object = session->first; object; object = object->next) {
        const struct node *node = object_node(object);
        const struct plan *plan = &object->image.plan;
        bool deleted, same_path = is_path_of(node, line->path, &deleted);
        bool same_file = !deleted && known[node->number].ino == line->ino && known[node->number].dev == line->dev;
        if (same_file && view->bias[node->number] == ~0ull && plan->seg_count && align_down(plan->seg[0].off, LDR_PAGE) == line->off)
            view->bias[node->number] = line->start - plan->lo_page;
        if (!same_path || same_file)
            continue;
        view->stale = must_grow(view->stale, view->stale_count + 1, sizeof *view->stale);
        view->stale[view->stale_count++] = (struct stale_mapping){ line->start, line->end, node, deleted };
    }
}

enum rewritten process_rewritten(const struct process_view *view, const struct node *node) {
    const u64 slack = NANO / 10;      /* how well a start, told in ticks, and a file's stamp go together */
    if (!node->file || view->bias[node->number] == ~0ull || view->started > ~slack)
        return REWRITTEN_NOT;
    u64 from = view->started + slack;
    /* The kernel sets the time of change with each write; the time of writing can be set to any, also one that is still to come. */
    u64 changed = nanoseconds(&node->file->changed), written = nanoseconds(&node->file->written);
    if (changed <= from)
        return REWRITTEN_NOT;
    return written > from && written <= changed ? REWRITTEN_CONTENTS : REWRITTEN_INODE;
}

bool process_open(struct process_view *view, const struct session *session, pid_t pid) {
    size_t count;
    *view = (struct process_view){ .pid = pid, .started = life_start(pid), .bias = must_alloc(session->count, sizeof *view->bias) };
    memset(view->bias, 0xff, session->count * sizeof *view->bias);
    struct mapping *mappings = mappings_read(pid, &count);
    if (!mappings) {
        warn_ldr("process %d: its mappings cannot be read", (int)pid);
        return false;
    }
    struct identity *known = identities(session);
    for (size_t i = 0; i < count; i++)
        note_mapping(view, session, known, &mappings[i]);
    free(known);
    mappings_free(mappings, count);
    return true;
}

void process_close(struct process_view *view) {
    free(view->bias);
    free(view->stale);
}

const struct stale_mapping *process_stale(const struct process_view *view, u64 addr) {
    for (u32 i = 0; i < view->stale_count; i++)
        if (addr >= view->stale[i].start && addr < view->stale[i].end)
            return &view->stale[i];
    return NULL;
}

struct object *process_locate(const struct process_view *view, const struct session *session, u64 addr, u64 *vaddr) {
    for (struct object *object = session->first; object; object = object->next) {
        u64 bias = view->bias[object_node(object)->number];
        if (bias != ~0ull && addr - bias >= object->image.plan.lo_page && addr - bias < object->image.plan.hi_page) {
            *vaddr = addr - bias;
            return object;
        }
    }
    return NULL;
}

/* By where the process shows the file's first page: the pages behind it may be another file's, which the cache shares, or none's (.bss). */
char *process_opened_later(const struct process_view *view, const struct session *session, u64 addr, u64 *vaddr) {
    size_t count;
    char *path = NULL;
    struct mapping *mappings = mappings_read(view->pid, &count);
    for (size_t i = 0; mappings && i < count && !path; i++) {
        const struct mapping *line = &mappings[i];
        const struct library_file *file;
        if (line->start > addr || catalog_file(session->catalog, line->path, &file) != 0 || file->defect.code || file->ino != line->ino)
            continue;
        const struct plan *plan = &file->image.plan;
        u64 inside = addr - (line->start - plan->lo_page);
        if (plan->seg_count && align_down(plan->seg[0].off, LDR_PAGE) == line->off && inside >= plan->lo_page && inside < plan->hi_page) {
            path = must_format("%s", line->path);
            *vaddr = inside;
        }
    }
    mappings_free(mappings, count);
    return path;
}

static char *word_text(const struct process_view *view, const struct session *session, u64 word) {
    u64 vaddr = 0;
    struct object *object = process_locate(view, session, word, &vaddr);
    return object ? place_address_text(object, vaddr) : must_format("%#llx, in none of the objects loaded at start", (unsigned long long)word);
}

/* What the linker stores; false: the type makes something else of it than an address. */
static bool foretold(const struct process_view *view, const struct session *session, const struct place *place, u64 *value, bool *chosen) {
    const struct reloc_record *record = &place->record;
    struct symbol_want want;
    struct binding found;
    *chosen = false;
    if (record->kind.class == RELOC_RELATIVE) {
        *value = view->bias[object_node(place->object)->number] + (u64)record->addend;
        return true;
    }
    if (record->kind.class != RELOC_SYMBOL || record->kind.width != 8 || !record->symbol)
        return false;
    if (session_bind(session, place->object, record->symbol, record->kind, &want, &found) != 0) {
        *value = (u64)record->addend;
        return true;
    }
    *chosen = ELF64_ST_TYPE(found.symbol->st_info) == STT_GNU_IFUNC;
    u64 bias = view->bias[object_node(found.object)->number];
    *value = (found.symbol->st_shndx == SHN_ABS ? 0 : bias) + found.symbol->st_value + (u64)record->addend;
    return bias != ~0ull;
}

struct judgement process_judge(const struct process_view *view, const struct session *session, const struct place *place) {
    struct judgement judged = { .state = WORD_UNREADABLE };
    char name[64];
    u64 vaddr = 0, bias = view->bias[object_node(place->object)->number];
    bool chosen;
    snprintf(name, sizeof name, "/proc/%d/mem", (int)view->pid);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    bool read = fd >= 0 && bias != ~0ull && pread(fd, &judged.word, sizeof judged.word, (off_t)(bias + (place->found ? place->record.place : place->vaddr))) == (ssize_t)sizeof judged.word;
    if (fd >= 0)
        close(fd);
    if (!read)
        return judged;
    if (!place->found || !foretold(view, session, place, &judged.stored, &chosen))
        judged.state = WORD_NOT_FORETOLD;
    else if (judged.word == judged.stored)
        judged.state = WORD_AS_STORED;
    else if (relocs_lazy(place->object, &place->record) && process_locate(view, session, judged.word, &vaddr) == place->object && place_is_code(place->object, vaddr))
        judged.state = WORD_NOT_CALLED_YET;
    else
        judged.state = chosen ? WORD_CHOSEN : WORD_CHANGED;
    return judged;
}

char *process_value(const struct process_view *view, const struct session *session, const struct place *place) {
    struct judgement judged = process_judge(view, session, place);
    char *now = word_text(view, session, judged.word), *text = NULL;
    switch (judged.state) {
    case WORD_UNREADABLE: text = must_format("  there now: cannot be read (process %d)\n", (int)view->pid); break;
    case WORD_NOT_FORETOLD: text = place->found ? must_format("  there now: %#llx\n", (unsigned long long)judged.word) : must_format("  there now: %s\n", now); break;
    case WORD_AS_STORED: text = must_format("  there now: %s, as the linker stores it\n", now); break;
    case WORD_NOT_CALLED_YET: text = must_format("  there now: %s: its own PLT, for it was not called yet\n", now); break;
    case WORD_CHOSEN: text = must_format("  there now: %s, chosen by the symbol's resolver\n", now); break;
    case WORD_CHANGED: text = must_format("  there now: %s: not what the linker stores; something wrote it later\n", now); break;
    }
    free(now);
    return text;
}

char **process_environment(pid_t pid) {
    char name[64], *entry = NULL;
    size_t room = 0, count = 0;
    char **list = must_alloc(1, sizeof *list);
    snprintf(name, sizeof name, "/proc/%d/environ", (int)pid);
    FILE *file = fopen(name, "re");
    while (file && getdelim(&entry, &room, 0, file) > 0) {
        list = must_grow(list, count + 2, sizeof *list);
        list[count++] = must_format("%s", entry);
        list[count] = NULL;
    }
    if (file)
        fclose(file);
    free(entry);
    return list;
}
