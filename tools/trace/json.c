/* json.c - stories for programs: one JSON object a line, the first telling the schema. Documented in ldr(1); a change of meaning raises
 * the schema's version. Addresses are texts ("0x7f..."): 64 bits do not fit the numbers of many readers. */
#include "trace.h"
#include "../json.h"

#include "../../ldr/link/link.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SCHEMA_VERSION = 1 };

static void put_number(struct json_object *to, const char *key, uint64_t value) {
    json_object_object_add(to, key, json_object_new_uint64(value));
}

/* JSON is UTF-8; a path need not be. */
static void put_text(struct json_object *to, const char *key, const char *value) {
    json_object_object_add(to, key, json_name(value));
}

static void put_address(struct json_object *to, const char *key, uint64_t value) {
    char text[24];
    snprintf(text, sizeof text, "0x%" PRIx64, value);
    put_text(to, key, text);
}

static void put_object(struct json_object *to, const char *key, const struct traced *object) {
    put_text(to, key, object ? object->path : NULL);
}

static void put_symbol(struct json_object *to, const struct story *story) {
    put_object(to, "object", story->object);
    put_text(to, "symbol", story->name);
    put_text(to, "version", story->version);
    put_object(to, "definer", story->other);
    put_address(to, "place", story->place);
    put_address(to, "value", story->value);
}

static void put_map(struct json_object *to, const struct story *story) {
    const struct trace_object *object = (const void *)(story->event + 1);
    const struct trace_segment *segment = (const void *)(object + 1);
    char hex[64] = "";
    for (uint32_t i = 0; i < object->build_id_len; i++)
        snprintf(hex + 2 * i, 3, "%02x", object->build_id[i]);
    put_object(to, "object", story->object);
    put_text(to, "name", story->object->name);
    put_object(to, "loader", story->other);
    put_text(to, "rule", story->object->rule <= FOUND_INTERPRETER ? found_by_text((enum found_by)object->rule) : "?");
    put_text(to, "build_id", *hex ? hex : NULL);
    json_object_object_add(to, "from_cache", json_object_new_boolean((story->object->flag & TRACE_IS_SHARED) != 0));
    put_address(to, "bias", object->bias);
    put_address(to, "start", object->start);
    put_number(to, "pages", (object->end - object->start) / 4096);
    struct json_object *list = json_object_new_array();
    for (uint32_t i = 0; i < object->segments; i++) {
        struct json_object *part = json_object_new_object();
        char prot[4] = { segment[i].prot & 4 ? 'r' : '-', segment[i].prot & 2 ? 'w' : '-', segment[i].prot & 1 ? 'x' : '-', 0 };
        put_address(part, "start", segment[i].start);
        put_number(part, "bytes", segment[i].len);
        put_number(part, "file_offset", segment[i].off);
        put_text(part, "permission", prot);
        json_object_array_add(list, part);
    }
    json_object_object_add(to, "segments", list);
}

static void put_cache(struct json_object *to, const struct story *story) {
    static const char *const news[] = { "hit", "miss", "made", "not made" }, *const parts[] = { "image", "new image", "relocated", "kernel" };
    bool start = story->event->type == TRACE_CACHE;
    const struct trace_cached *cached = (const void *)(story->event + 1);
    put_text(to, "what", story->value < 4 ? (start ? news : parts)[story->value] : "?");
    bool is_name = start ? story->value == TRACE_CACHE_HIT || story->value == TRACE_CACHE_MADE : story->value <= TRACE_NEW_IMAGE;
    put_text(to, "why", is_name || !story->word || !*story->word ? NULL : story->word);
    if (start) {
        put_text(to, "record", is_name ? story->word : NULL);
        return;
    }
    put_object(to, "object", story->object);
    put_text(to, "pack", is_name ? story->word : NULL);
    put_number(to, "pages", cached->pages);
    put_number(to, "pages_read_only", cached->read_only);
}

static void put_details(struct json_object *to, const struct story *story) {
    const void *fixed = story->event + 1;
    switch (story->kind) {
    case STORY_PROCESS: {
        struct json_object *list = json_object_new_array();
        size_t at = sizeof(struct trace_process);
        unsigned taken = 0;
        for (const char *arg; (arg = record_argument(story->event, &taken, &at));)
            json_object_array_add(list, json_name(arg));
        put_number(to, "parent", ((const struct trace_process *)fixed)->parent);
        json_object_object_add(to, "arguments", list);
        return;
    }
    case STORY_PHASE: put_text(to, "phase", story->name); return;
    case STORY_SEARCH:
        put_text(to, "name", story->name);
        put_object(to, "for", story->object);
        put_object(to, "object", story->other);
        put_number(to, "errno", (uint64_t)story->error);
        return;
    case STORY_TRY:
        put_text(to, "path", story->name);
        put_text(to, "rule", story->value <= FOUND_INTERPRETER ? found_by_text((enum found_by)story->value) : "?");
        put_number(to, "errno", (uint64_t)story->error);
        return;
    case STORY_DIRECTORY:
        put_text(to, "path", story->name);
        json_object_object_add(to, "present", json_object_new_boolean(story->value != 0));
        return;
    case STORY_MAP: put_map(to, story); return;
    case STORY_RELOCATE: {
        const struct trace_relocated *counts = fixed;
        put_object(to, "object", story->object);
        put_number(to, "relative", counts->relative);
        put_number(to, "relr_words", counts->relr);
        put_number(to, "symbolic", counts->symbolic);
        put_number(to, "functions", counts->plt);
        json_object_object_add(to, "lazy", json_object_new_boolean(story->event->flag != 0));
        return;
    }
    case STORY_BIND:
        put_symbol(to, story);
        put_text(to, "use", story->word);
        return;
    case STORY_LAZY: put_symbol(to, story); return;
    case STORY_PROTECT:
        put_object(to, "object", story->object);
        put_address(to, "start", ((const struct trace_protected *)fixed)->start);
        put_number(to, "pages", ((const struct trace_protected *)fixed)->len / 4096);
        return;
    case STORY_CONSTRUCTOR:
    case STORY_DESTRUCTOR:
        put_object(to, "object", story->object);
        put_text(to, "function", story->name);
        put_address(to, "address", story->value);
        put_address(to, "vaddr", story->object ? story->value - story->object->bias : 0);
        json_object_object_add(to, "returned", json_object_new_boolean(story->ended));
        return;
    case STORY_OPEN:
        put_text(to, "name", story->name);
        put_object(to, "caller", story->object);
        put_number(to, "mode", story->value);
        put_object(to, "object", story->other);
        put_text(to, "why", story->word);
        return;
    case STORY_CLOSE:
        put_object(to, "object", story->object);
        put_number(to, "opens_left", story->value);
        put_text(to, "stays", story->word && *story->word ? story->word : NULL);
        return;
    case STORY_KEEP:
        put_object(to, "object", story->object);
        put_text(to, "why", story->word);
        put_object(to, "by", story->other);
        return;
    case STORY_UNLOAD: put_object(to, "object", story->object); return;
    case STORY_TLS: {
        const struct trace_tls_module *tls = fixed;
        put_object(to, "object", story->object);
        put_number(to, "module", tls->module);
        put_number(to, "bytes", tls->size);
        put_number(to, "align", tls->align);
        put_number(to, "offset", tls->offset);
        return;
    }
    case STORY_TLS_BLOCK:
        put_object(to, "object", story->object);
        put_number(to, "module", ((const struct trace_tls_block *)fixed)->module);
        put_number(to, "bytes", ((const struct trace_tls_block *)fixed)->size);
        return;
    case STORY_CACHE: put_cache(to, story); return;
    case STORY_ERROR: put_text(to, "text", story->name); return;
    case STORY_KINDS: return;
    }
}

static void put_line(struct json_object *line, FILE *out) {
    fprintf(out, "%s\n", json_object_to_json_string_ext(line, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(line);
}

void trace_json(const struct trace_model *model, const struct story_filter *filter, FILE *out) {
    struct json_object *head = json_object_new_object();
    put_text(head, "event", "record");
    put_number(head, "schema_version", SCHEMA_VERSION);
    put_number(head, "monotonic_ns", model->mono);
    put_number(head, "length_ns", model->end);
    put_line(head, out);
    for (size_t i = 0; i < model->count; i++) {
        const struct story *story = &model->stories[i];
        if (!story_passes(story, filter))
            continue;
        struct json_object *line = json_object_new_object();
        put_text(line, "event", story_kind_name(story->kind));
        put_number(line, "time_ns", story->start);
        json_object_object_add(line, "duration_ns", story->ended ? json_object_new_uint64(story->duration) : NULL);
        put_number(line, "pid", story->pid);
        put_number(line, "tid", story->tid);
        put_details(line, story);
        put_line(line, out);
    }
}
