/* story_json.c - `ldr why --json`: every reference, every object asked. Schema in ldr-why(1). */
#include "../ldr.h"
#include "../json.h"
#include "story.h"

#include <stdio.h>
#include <stdlib.h>

enum { SCHEMA_VERSION = 1 };

static void put(struct json_object *to, const char *key, u64 value) { json_object_object_add(to, key, json_object_new_uint64(value)); }

static void put_text(struct json_object *to, const char *key, const char *value) {
    json_object_object_add(to, key, json_name(value));
}

static const char *path_of(const struct object *object) { return object ? node_path(object_node(object)) : NULL; }

static const char *verdict_name(enum symbol_verdict verdict) {
    switch (verdict) {
    case SYMBOL_ANSWERS: return "answers";
    case SYMBOL_ANSWERS_ALONE: return "answers-if-alone";
    case SYMBOL_REFUSED_UNDEFINED: return "undefined";
    case SYMBOL_REFUSED_NO_VALUE: return "no-value";
    case SYMBOL_REFUSED_TYPE: return "type";
    case SYMBOL_REFUSED_NO_TLS: return "no-tls";
    case SYMBOL_REFUSED_VISIBILITY: return "hidden";
    case SYMBOL_REFUSED_BINDING: return "local";
    case SYMBOL_REFUSED_VERSION: return "other-version";
    case SYMBOL_REFUSED_UNVERSIONED: return "unversioned";
    case SYMBOL_REFUSED_NOT_DEFAULT: return "not-default-version";
    case SYMBOL_OTHER_NAME: break;
    }
    return "other-name";
}

static struct json_object *asked_json(const struct asked *asked, bool winner) {
    struct json_object *one = json_object_new_object(), *entries = json_object_new_array();
    put_text(one, "object", path_of(asked->object));
    put(one, "scope", asked->scope);
    put_text(one, "outcome", winner ? "answers" : asked->passed_over ? "passed-over" : asked->answers ? "too-late" : asked->entry_count ? "refused" : "absent");
    for (u32 i = 0; i < asked->entry_count; i++) {
        const struct definition *entry = &asked->entries[i];
        struct json_object *definition = json_object_new_object();
        put_text(definition, "version", entry->version ? entry->version->name : NULL);
        json_object_object_add(definition, "default", json_object_new_boolean(!entry->version_hidden));
        put(definition, "value", entry->entry->st_value);
        put(definition, "size", entry->entry->st_size);
        put_text(definition, "verdict", verdict_name(entry->verdict));
        json_object_array_add(entries, definition);
    }
    json_object_object_add(one, "entries", entries);
    return one;
}

static struct json_object *reference_json(const struct story *story, const struct story_reference *reference) {
    struct json_object *one = json_object_new_object(), *places = json_object_new_array(), *search = json_object_new_array();
    char *cause = why_story_cause(story, reference);
    put_text(one, "by", path_of(reference->by));
    put_text(one, "version", reference->version ? reference->version->name : NULL);
    put_text(one, "result", reference->result == 0 ? "bound" : reference->result == REFERENCE_WEAK ? "weak-undefined" : "undefined");
    put_text(one, "cause", cause);
    free(cause);
    put_text(one, "bound_to", reference->result == 0 ? path_of(reference->found.object) : NULL);
    if (reference->result == 0) {
        put(one, "value", reference->found.symbol->st_value);
        put(one, "size", reference->found.symbol->st_size);
    }
    put(one, "place_count", reference->place_count);
    for (u32 i = 0; i < reference->place_count && i < PLACES_MAX; i++) {
        struct json_object *place = json_object_new_object();
        put_text(place, "type", arch_reloc_name(reference->places[i].type));
        put(place, "place", reference->places[i].place);
        json_object_object_add(place, "addend", json_object_new_int64(reference->places[i].addend));
        json_object_object_add(place, "lazy", json_object_new_boolean(relocs_lazy(reference->by, &reference->places[i])));
        json_object_array_add(places, place);
    }
    json_object_object_add(one, "places", places);
    for (u32 i = 0; i < reference->asked_count; i++)
        json_object_array_add(search, asked_json(&reference->asked[i], i == reference->winner));
    json_object_object_add(one, "search", search);
    return one;
}

static struct json_object *link_time_json(const struct link_time *link_time) {
    struct json_object *one = json_object_new_object();
    put_text(one, "object", path_of(link_time->object));
    put_text(one, "how", link_time->symbol.how);
    put(one, "value", link_time->symbol.value);
    put(one, "size", link_time->symbol.size);
    return one;
}

struct json_object *why_story_object(const struct story *story, bool *known) {
    struct json_object *root = json_object_new_object(), *references = json_object_new_array();
    *known = !story->hypothetical || story->link_time.object;
    put_text(root, "schema", "ldr-why");
    put(root, "schema_version", SCHEMA_VERSION);
    put_text(root, "program", node_path(story->session->program));
    put_text(root, "symbol", story->name);
    put_text(root, "version", story->version);
    json_object_object_add(root, "hypothetical", json_object_new_boolean(story->hypothetical));
    char *refusal = story->refusal.kind != REFUSAL_NONE ? refusal_text(&story->refusal) : NULL;
    put_text(root, "start_refused", refusal);
    free(refusal);
    if (story->link_time.object)
        json_object_object_add(root, "link_time", link_time_json(&story->link_time));
    for (const struct story_reference *reference = story->references; reference; reference = reference->next) {
        json_object_array_add(references, reference_json(story, reference));
        for (u32 i = 0; i < reference->asked_count; i++)
            *known |= reference->asked[i].entry_count != 0 && !why_story_static(story);
    }
    json_object_object_add(root, "references", references);
    return root;
}

bool why_story_json(const struct story *story) {
    bool known;
    json_print(why_story_object(story, &known));
    return known;
}
