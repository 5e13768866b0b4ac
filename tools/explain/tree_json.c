/* tree_json.c - `ldr tree --json`. Schema in ldr-tree(1); a change of meaning raises its version. */
#include "../ldr.h"
#include "../json.h"
#include "tree.h"

#include <stdlib.h>

enum { SCHEMA_VERSION = 1 };

static void put(struct json_object *to, const char *key, u64 value) { json_object_object_add(to, key, json_object_new_uint64(value)); }

static void put_text(struct json_object *to, const char *key, const char *value) {
    json_object_object_add(to, key, json_name(value));
}

static void put_bool(struct json_object *to, const char *key, bool value) { json_object_object_add(to, key, json_object_new_boolean(value)); }

struct json_object *attempts_json(const struct attempt *first) {
    struct json_object *list = json_object_new_array();
    for (const struct attempt *attempt = first; attempt; attempt = attempt->next) {
        struct json_object *one = json_object_new_object();
        put_text(one, "path", attempt->path);
        put_text(one, "outcome", attempt_outcome_name(attempt->outcome));
        if (attempt->outcome != ATTEMPT_NO_DIRECTORY && attempt->outcome != ATTEMPT_TOO_LONG)
            put_text(one, "rule", found_by_text(attempt->rule));
        if (attempt->owner)
            put_text(one, "rule_owner", node_path(object_node(attempt->owner)));
        if (attempt->outcome == ATTEMPT_ERRNO)
            put_text(one, "error", errno_text(attempt->error));
        if (attempt->outcome == ATTEMPT_BROKEN) {
            char *text = defect_text(&attempt->defect);
            put_text(one, "error", text);
            free(text);
        }
        json_object_array_add(list, one);
    }
    return list;
}

static const char *kind_name(enum request_kind kind) {
    switch (kind) {
    case REQUEST_NEEDED: return "needed";
    case REQUEST_FILTER: return "filter";
    case REQUEST_AUXILIARY: return "auxiliary";
    case REQUEST_PRELOAD: return "preload";
    }
    return "";
}

static struct json_object *request_json(struct tree_report *report, const struct request *request) {
    struct json_object *one = json_object_new_object();
    put_text(one, "name", request->name);
    put_text(one, "kind", kind_name(request->kind));
    if (request->result)
        put(one, "object", request->result->number);
    put_bool(one, "searched", !request->known);
    if (report->usage && request->by && request->result) {
        put(one, "references", usage_of(report->usage, request->by, request->result));
        report->unused += request->kind == REQUEST_NEEDED && !request->result->object.is_missing && !node_is_linker(request->result) &&
                          !usage_of(report->usage, request->by, request->result);
    }
    if (!request->known)
        json_object_object_add(one, "attempts", attempts_json(request->attempts));
    return one;
}

static struct json_object *object_json(struct tree_report *report, const struct object *object) {
    const struct node *node = object_node(object);
    struct json_object *one = json_object_new_object(), *names = json_object_new_array(), *needs = json_object_new_array();
    put(one, "number", node->number);
    put_text(one, "name", node_name(node));
    put_text(one, "path", object->is_missing ? NULL : shown_path(report->session, node));
    put_bool(one, "missing", object->is_missing);
    report->missing += object->is_missing;
    if (!object->is_missing) {
        char *found = found_text(node);
        put_text(one, "file", node_path(node));
        put_text(one, "real_path", node->file->real_path);
        put_text(one, "soname", object->image.soname);
        put_text(one, "found_by", found_by_text(object->found_by));
        put_text(one, "found_text", found);
        put(one, "size_bytes", node->file->len);
        put(one, "mapped_bytes", object->image.plan.hi_page - object->image.plan.lo_page);
        free(found);
    } else if (node->defect.code) {
        char *text = defect_text(&node->defect);
        put_text(one, "defect", text);
        put_text(one, "defect_path", node->defect_path);
        free(text);
    }
    if (object->loader)
        put(one, "needed_by", object_node(object->loader)->number);
    put(one, "search_position", node->closure_number);
    for (const struct alias *alias = &object->aliases; alias; alias = alias->next)
        if (alias->name)
            json_object_array_add(names, json_name(alias->name));
    json_object_object_add(one, "names", names);
    for (const struct request *request = node->requests; request; request = request->next_of_by)
        json_object_array_add(needs, request_json(report, request));
    json_object_object_add(one, "needs", needs);
    return one;
}

void tree_json(struct tree_report *report) {
    const struct session *session = report->session;
    struct json_object *root = json_object_new_object(), *objects = json_object_new_array(), *preloads = json_object_new_array(), *order = json_object_new_array();
    put_text(root, "schema", "ldr-tree");
    put(root, "schema_version", SCHEMA_VERSION);
    put_text(root, "program", node_path(session->program));
    put_text(root, "interpreter", session_interpreter(session));
    put_text(root, "sysroot", catalog_sysroot(session->catalog));
    put_bool(root, "static", session_is_static(session));
    put_bool(root, "secure", session->config.secure);
    for (const struct request *request = session->requests; request; request = request->next)
        if (request->kind == REQUEST_PRELOAD)
            json_object_array_add(preloads, request_json(report, request));
    json_object_object_add(root, "preloads", preloads);
    for (const struct object *object = session->first; object; object = object->next)
        json_object_array_add(objects, object_json(report, object));
    json_object_object_add(root, "objects", objects);
    for (u32 i = session->global.count; i-- > 0;)
        json_object_array_add(order, json_object_new_int((int)object_node(session->program->object.init_order[i])->number));
    json_object_object_add(root, "constructor_order", order);
    put(root, "missing", report->missing);
    if (report->usage)
        put(root, "unused_needs", report->unused);
    json_print(root);
}

/* The names from the one that was asked for up to the program. */
static struct json_object *chain_json(const struct session *session, const struct request *request) {
    struct json_object *chain = json_object_new_object(), *by = json_object_new_array();
    u32 steps = 0;
    put_text(chain, "name", request->name);
    put_text(chain, "kind", kind_name(request->kind));
    for (const struct node *node = request->by; node && steps++ <= session->count; node = node->found_by ? node->found_by->by : NULL)
        json_object_array_add(by, json_name(node->found_by ? node_name(node) : node_path(node)));
    json_object_object_add(chain, "needed_by", by);
    return chain;
}

bool tree_why_needed_json(const struct tree_report *report, const char *name) {
    const struct session *session = report->session;
    struct json_object *root = json_object_new_object(), *objects = json_object_new_array();
    put_text(root, "schema", "ldr-tree-why-needed");
    put(root, "schema_version", SCHEMA_VERSION);
    put_text(root, "program", node_path(session->program));
    put_text(root, "asked", name);
    for (const struct object *object = session->first; object; object = object->next) {
        const struct node *node = object_node(object);
        if (!tree_is_meant(node, name))
            continue;
        struct json_object *one = json_object_new_object(), *chains = json_object_new_array();
        put_text(one, "path", object->is_missing ? NULL : shown_path(session, node));
        put_bool(one, "missing", object->is_missing);
        for (const struct request *request = session->requests; request; request = request->next)
            if (request->result == node)
                json_object_array_add(chains, chain_json(session, request));
        json_object_object_add(one, "chains", chains);
        json_object_array_add(objects, one);
    }
    bool any = json_object_array_length(objects) != 0;
    json_object_object_add(root, "objects", objects);
    json_print(root);
    return any;
}
