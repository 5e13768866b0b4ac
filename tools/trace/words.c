/* words.c - what stories and objects are called, and which of them a filter lets pass. */
#include "trace.h"

#include <fnmatch.h>
#include <string.h>

static const char *const kind_names[STORY_KINDS] = {
    [STORY_PROCESS] = "process", [STORY_PHASE] = "phase", [STORY_SEARCH] = "search", [STORY_TRY] = "try", [STORY_DIRECTORY] = "directory",
    [STORY_MAP] = "map", [STORY_RELOCATE] = "relocate", [STORY_BIND] = "bind", [STORY_LAZY] = "lazy", [STORY_PROTECT] = "protect",
    [STORY_CONSTRUCTOR] = "constructor", [STORY_DESTRUCTOR] = "destructor", [STORY_OPEN] = "dlopen", [STORY_CLOSE] = "dlclose",
    [STORY_KEEP] = "keep", [STORY_UNLOAD] = "unload", [STORY_TLS] = "tls", [STORY_TLS_BLOCK] = "tls-block",
    [STORY_CACHE] = "cache",
    [STORY_ERROR] = "error",
};

const char *story_kind_name(enum story_kind kind) { return kind_names[kind]; }

int story_kind_of(const char *name) {
    for (int i = 0; i < STORY_KINDS; i++)
        if (strcmp(kind_names[i], name) == 0)
            return i;
    return -1;
}

const char *phase_name(unsigned phase) {
    static const char *const names[TRACE_PHASES] = { "load", "link", "relocate", "protect", "constructors", "running", "finish", "end" };
    return phase < TRACE_PHASES ? names[phase] : "?";
}

const char *traced_path(const struct traced *object) { return object ? object->path : "?"; }

const char *traced_short(const struct traced *object) {
    const char *path = traced_path(object), *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static bool object_matches(const struct traced *object, const char *pattern) {
    return object && (fnmatch(pattern, object->path, 0) == 0 || fnmatch(pattern, traced_short(object), 0) == 0);
}

bool story_passes(const struct story *story, const struct story_filter *filter) {
    if (!(filter->kinds >> story->kind & 1))
        return false;
    if (filter->object && !object_matches(story->object, filter->object) && !object_matches(story->other, filter->object) &&
        !(story->kind <= STORY_DIRECTORY && story->name &&
          (fnmatch(filter->object, story->name, 0) == 0 ||
           fnmatch(filter->object, strrchr(story->name, '/') ? strrchr(story->name, '/') + 1 : story->name, 0) == 0)))
        return false;
    bool has_symbol = story->kind == STORY_BIND || story->kind == STORY_LAZY;
    return !filter->symbol || (has_symbol && story->name && fnmatch(filter->symbol, story->name, 0) == 0);
}
