/* frames.c - function, file and line of every frame: one walk over the debug information of each object, for all its frames at once. */
#include "crash.h"
#include "../debuginfo/debuginfo.h"
#include "../ldr.h"

#include <stdlib.h>
#include <string.h>

static void place_frames(struct crash *crash) {
    for (size_t i = 0; i < crash->unwound.frame_count; i++) {
        struct frame *frame = &crash->unwound.frames[i];
        frame->object = space_object(&crash->space, frame->pc);
        frame->vaddr = frame->object ? frame->pc - frame->object->bias - !frame->exact : 0;
        frame->function = must_format("%s", "");
        frame->offset = must_format("%s", "");
        frame->file = must_format("%s", "");
    }
}

static void take(struct frame *frame, const struct debuginfo_answer *answer) {
    if (*frame->function || answer->how == DEBUGINFO_SECTION)
        return;
    free(frame->function);
    free(frame->offset);
    free(frame->file);
    frame->function = must_format("%s", answer->name);
    frame->offset = must_format("%s", answer->path);
    frame->file = must_format("%s", answer->how == DEBUGINFO_DWARF ? answer->file : "");
    frame->line = answer->how == DEBUGINFO_DWARF ? answer->line : 0;
    frame->start = answer->whole_vaddr;
}

void frames_name(struct crash *crash) {
    struct unwound *unwound = &crash->unwound;
    struct debuginfo_question questions[FRAMES_MAX];
    size_t which[FRAMES_MAX];
    place_frames(crash);
    for (size_t o = 0; o < crash->space.object_count; o++) {
        const struct crash_object *object = &crash->space.objects[o];
        size_t count = 0;
        for (size_t i = 0; i < unwound->frame_count; i++)
            if (unwound->frames[i].object == object) {
                which[count] = i;
                questions[count++] = (struct debuginfo_question){ .vaddr = unwound->frames[i].vaddr, .len = 1 };
            }
        if (!count || !object->bytes)
            continue;
        struct debuginfo *debuginfo = debuginfo_open(object->bytes, object->len, object->file && object->file->real_path ? object->file->real_path : object->path);
        struct debuginfo_answers answers = { 0 };
        debuginfo_ask_code(debuginfo, questions, count, &answers);
        for (size_t i = 0; i < answers.count; i++)
            take(&unwound->frames[which[answers.list[i].question]], &answers.list[i]);
        if (*debuginfo_problem(debuginfo)) {
            crash->notes = must_grow(crash->notes, crash->note_count + 1, sizeof *crash->notes);
            crash->notes[crash->note_count++] = must_format("%s", debuginfo_problem(debuginfo));
        }
        debuginfo_answers_free(&answers);
        debuginfo_close(debuginfo);
    }
}
