/* instructions.c - which instruction made a copy private, where a record of writers tells: with its function and line, by page. */
#include "../ldr.h"
#include "why.h"

#include <stdlib.h>

static int compare_writers(const void *a, const void *b) {
    const struct why_writer *x = a, *y = b;
    if (x->page != y->page)
        return x->page < y->page ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->spot.object != y->spot.object)
        return x->spot.object < y->spot.object ? -1 : 1;
    return x->spot.vaddr < y->spot.vaddr ? -1 : x->spot.vaddr > y->spot.vaddr;
}

static void add_writer(struct story *story, size_t *room, struct why_writer writer) {
    if (story->writer_count == *room)
        story->writers = must_grow(story->writers, *room = *room * 2 + 64, sizeof *story->writers);
    story->writers[story->writer_count++] = writer;
}

/* One entry for each page and instruction, with its function and line. */
void story_writers(struct story *story) {
    const struct snapshot *snapshot = &story->collection->snapshot;
    size_t room = 0, kept = 0;
    for (size_t p = 0; p < story->memory->page_count; p++)
        for (size_t c = 0; c < story->memory->pages[p].copy_count; c++) {
            const struct why_copy *copy = &story->memory->pages[p].copies[c];
            if (copy->writer_kind)
                add_writer(story, &room, (struct why_writer){ (uint32_t)p, copy->writer, copy->writer_kind, 1, NULL });
        }
    if (story->writer_count == 0)
        return;
    qsort(story->writers, story->writer_count, sizeof *story->writers, compare_writers);
    for (size_t i = 0; i < story->writer_count; i++) {
        if (kept && compare_writers(&story->writers[kept - 1], &story->writers[i]) == 0)
            story->writers[kept - 1].copies++;
        else
            story->writers[kept++] = story->writers[i];
    }
    story->writer_count = kept;
    story->writer_answers = must_alloc(snapshot->object_count, sizeof *story->writer_answers);
    struct debuginfo_question *questions = must_alloc(kept, sizeof *questions);
    size_t *which = must_alloc(kept, sizeof *which);
    for (size_t o = 0; o < snapshot->object_count; o++) {
        size_t count = 0;
        for (size_t i = 0; i < kept; i++)
            if (story->writers[i].spot.object == o) {
                which[count] = i;
                questions[count++] = (struct debuginfo_question){ story->writers[i].spot.vaddr, 1, NULL };
            }
        if (!count || !snapshot->objects[o].file)
            continue;
        struct debuginfo *info = debuginfo_open(snapshot->objects[o].file, snapshot->objects[o].file_len, snapshot->objects[o].path);
        debuginfo_ask_code(info, questions, count, &story->writer_answers[o]);
        for (size_t a = story->writer_answers[o].count; a-- > 0; )
            story->writers[which[story->writer_answers[o].list[a].question]].answer = &story->writer_answers[o].list[a];
        debuginfo_close(info);
    }
    free(questions);
    free(which);
}
