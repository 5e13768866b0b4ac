/* viewer.c - stories in the Trace Event format that Perfetto and chrome://tracing open (JSON object form; "Trace Event Format" of the
 * Chromium project): complete events ("X") for what has a duration, instants ("i") for the rest, metadata ("M") for names. Times are
 * microseconds. Events of one thread nest: a search in a dlopen in a constructor in a phase. */
#include "pids.h"
#include "trace.h"
#include "../json.h"

#include "../ldr.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void put_text(struct json_object *to, const char *key, const char *value) {
    json_object_object_add(to, key, json_name(value ? value : "?"));
}

static void put_time(struct json_object *to, const char *key, uint64_t ns) {
    char text[40];
    snprintf(text, sizeof text, "%" PRIu64 ".%03u", ns / 1000, (unsigned)(ns % 1000));
    json_object_object_add(to, key, json_object_new_double_s((double)ns / 1000, text));
}

static struct json_object *event_new(const char *phase, uint32_t pid, uint32_t tid) {
    struct json_object *event = json_object_new_object();
    put_text(event, "ph", phase);
    json_object_object_add(event, "pid", json_object_new_int64(pid));
    json_object_object_add(event, "tid", json_object_new_int64(tid));
    return event;
}

static void put_event(struct json_object *event, bool *first, FILE *out) {
    fprintf(out, "%s%s", *first ? "" : ",\n", json_object_to_json_string_ext(event, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    *first = false;
    json_object_put(event);
}

static void name_story(const struct story *story, char *name, size_t len) {
    const char *kind = story_kind_name(story->kind), *symbol = story->name ? story->name : "?";
    switch (story->kind) {
    case STORY_PHASE: snprintf(name, len, "%s", symbol); return;
    case STORY_PROCESS: snprintf(name, len, "start of %s", story->object ? traced_short(story->object) : symbol); return;
    case STORY_SEARCH:
    case STORY_OPEN:
    case STORY_TRY:
    case STORY_ERROR:
    case STORY_DIRECTORY: snprintf(name, len, "%s %s", kind, symbol); return;
    case STORY_BIND:
    case STORY_LAZY: snprintf(name, len, "%s %s", kind, symbol); return;
    case STORY_CACHE:
        if (story->event->type == TRACE_CACHE)
            snprintf(name, len, "cache %s", story->value == TRACE_CACHE_HIT ? "hit" : story->value == TRACE_CACHE_MISS ? "miss" : "record");
        else
            snprintf(name, len, "cache %s", traced_short(story->object));
        return;
    case STORY_CONSTRUCTOR:
    case STORY_DESTRUCTOR: snprintf(name, len, "%s of %s", kind, traced_short(story->object)); return;
    default: snprintf(name, len, "%s %s", kind, traced_short(story->object)); return;
    }
}

static void name_process(uint32_t pid, const char *name, bool *first, FILE *out) {
    struct json_object *event = event_new("M", pid, pid), *args = json_object_new_object();
    put_text(event, "name", "process_name");
    put_text(args, "name", name);
    json_object_object_add(event, "args", args);
    put_event(event, first, out);
}

void trace_viewer(const struct trace_model *model, const struct story_filter *filter, FILE *out) {
    bool first = true;
    struct pids named = { 0 };
    fprintf(out, "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"producer\":\"ldr trace\"},\"traceEvents\":[\n");
    for (size_t i = 0; i < model->count; i++) {
        const struct story *story = &model->stories[i];
        bool added;
        pids_at(&named, story->pid, &added);
        if (added) /* a child that executes nothing has no PROCESS event */
            name_process(story->pid, story->kind == STORY_PROCESS ? traced_short(story->object) : "forked child", &first, out);
        if (!story_passes(story, filter))
            continue;
        char name[512];
        name_story(story, name, sizeof name);
        struct json_object *event = event_new(story->ended ? "X" : "i", story->pid, story->tid), *args = json_object_new_object();
        put_text(event, "name", name);
        put_text(event, "cat", story_kind_name(story->kind));
        put_time(event, "ts", story->start);
        if (story->ended)
            put_time(event, "dur", story->duration);
        else
            put_text(event, "s", "t");
        if (story->object)
            put_text(args, "object", story->object->path);
        if (story->other)
            put_text(args, "other", story->other->path);
        if (story->name)
            put_text(args, "name", story->name);
        if (story->version)
            put_text(args, "version", story->version);
        if (story->word && *story->word)
            put_text(args, "word", story->word);
        if (story->error)
            json_object_object_add(args, "errno", json_object_new_int(story->error));
        json_object_object_add(event, "args", args);
        put_event(event, &first, out);
    }
    pids_free(&named);
    fprintf(out, "\n]}\n");
}
