/* smaps.c - a head line as in maps, then lines "Name:  12 kB" that belong to it. The heads go the way of maps (maps_parse); the numbers
 * are added up by object and segment. A mapping counts for the segment it begins in: where in it the pages are, smaps does not say. */
#include "smaps.h"
#include "../ldr.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

struct mapping { uint64_t start; struct smaps_counts counts; };

struct mappings { struct mapping *list; size_t count, room; };

/* Fields are in KiB, of whole pages all but Pss. Several may go into one number. */
static void add_field(struct smaps_counts *counts, const char *line) {
    static const struct { const char *name; size_t offset; uint64_t unit; } fields[] = {
        { "Rss:", offsetof(struct smaps_counts, resident), PAGE_LEN / 1024 },
        { "Pss:", offsetof(struct smaps_counts, proportional_kib), 1 },
        { "Shared_Clean:", offsetof(struct smaps_counts, shared), PAGE_LEN / 1024 },
        { "Shared_Dirty:", offsetof(struct smaps_counts, shared), PAGE_LEN / 1024 },
        { "Private_Clean:", offsetof(struct smaps_counts, private), PAGE_LEN / 1024 },
        { "Private_Dirty:", offsetof(struct smaps_counts, private), PAGE_LEN / 1024 },
        { "Anonymous:", offsetof(struct smaps_counts, anonymous), PAGE_LEN / 1024 },
        { "Swap:", offsetof(struct smaps_counts, swapped), PAGE_LEN / 1024 },
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        size_t len = strlen(fields[i].name);
        if (strncmp(line, fields[i].name, len) == 0)
            *(uint64_t *)((char *)counts + fields[i].offset) += strtoull(line + len, NULL, 10) / fields[i].unit;
    }
}

/* The heads stay in TEXT, cut together: a text as that of maps. */
static void split(struct text *text, struct mappings *mappings) {
    size_t kept = 0;
    for (char *line = text->bytes, *next; *line; line = next) {
        char *end = strchr(line, '\n');
        size_t len = end ? (size_t)(end - line) + 1 : strlen(line);
        next = line + len;
        /* addresses are in small letters, names of fields begin with a capital */
        if (*line >= 'A' && *line <= 'Z') {
            if (mappings->count)
                add_field(&mappings->list[mappings->count - 1].counts, line);
            continue;
        }
        if (mappings->count == mappings->room)
            mappings->list = must_grow(mappings->list, mappings->room = mappings->room * 2 + 256, sizeof *mappings->list);
        mappings->list[mappings->count++] = (struct mapping){ .start = strtoull(line, NULL, 16) };
        memmove(text->bytes + kept, line, len);
        kept += len;
    }
    text->bytes[text->len = kept] = '\0';
}

static enum segment_kind segment_of(const struct object *object, const struct vma *vma) {
    uint64_t bias, len;
    if (object->kind != OBJECT_ELF)
        return (enum segment_kind)vma->kind;
    if (object->shape.known && shape_find_bias(&object->shape, vma, &bias))
        return shape_kind_at(&object->shape, bias, vma->start, vma->off, vma->end - vma->start, &len);
    return kind_by_access(vma->access);
}

void smaps_counts_add(struct smaps_counts *to, const struct smaps_counts *from) {
    to->resident += from->resident;
    to->anonymous += from->anonymous;
    to->swapped += from->swapped;
    to->shared += from->shared;
    to->private += from->private;
    to->proportional_kib += from->proportional_kib;
}

static void add_part(struct process *process, uint32_t object, enum segment_kind kind, const struct smaps_counts *counts) {
    struct smaps_part *part = NULL;
    for (size_t i = 0; i < process->smaps_count && !part; i++)
        if (process->smaps[i].object == object && process->smaps[i].kind == kind)
            part = &process->smaps[i];
    if (!part) {
        process->smaps = must_grow(process->smaps, process->smaps_count + 1, sizeof *process->smaps);
        part = &process->smaps[process->smaps_count++];
        *part = (struct smaps_part){ .object = object, .kind = kind };
    }
    smaps_counts_add(&part->counts, counts);
}

void smaps_take(struct readings *readings, struct reader *reader, struct process *process) {
    struct mappings mappings = { 0 };
    int error = proc_read(process->target->proc, "smaps", &reader->text);
    if (!error && reader->text.len == 0)
        error = -ESRCH;
    if (!error) {
        split(&reader->text, &mappings);
        pthread_mutex_lock(&readings->lock);
        process->vma_count = maps_parse(readings, reader, process);
        process->vmas = must_alloc(process->vma_count, sizeof *process->vmas);
        memcpy(process->vmas, reader->vmas, process->vma_count * sizeof *process->vmas);
        for (size_t i = 0, at = 0; i < process->vma_count; i++) {
            const struct vma *vma = &process->vmas[i];
            while (at < mappings.count && mappings.list[at].start < vma->start)
                at++;
            if (at < mappings.count && mappings.list[at].start == vma->start)
                add_part(process, vma->object, segment_of(&readings->files.objects[vma->object], vma), &mappings.list[at].counts);
        }
        pthread_mutex_unlock(&readings->lock);
        proc_facts_read(process->target->proc, &reader->text, &process->facts);
    }
    free(mappings.list);
    process->error = error;
    process->state = process_state_of(error);
}
