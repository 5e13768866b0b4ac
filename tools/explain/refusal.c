/* refusal.c - asks the linker's own list of needs (ldr/link/versions.c) and the requests of the session. */
#include "refusal.h"
#include "../ldr.h"

struct refusal session_refusal(const struct session *session) {
    for (const struct request *request = session->requests; request; request = request->next)
        if ((request->kind == REQUEST_NEEDED || request->kind == REQUEST_FILTER) && request->result && request->result->object.is_missing)
            return (struct refusal){ REFUSAL_LIBRARY, &request->by->object, &request->result->object, NULL };
    for (struct object *object = session->first; object; object = object->next) {
        struct version_check check = { 0 };
        enum version_verdict verdict;
        while (!object->is_missing && (verdict = version_next(&check, object, session->first)) != VERSION_END)
            if (verdict == VERSION_MISSING)
                return (struct refusal){ REFUSAL_VERSION, object, check.from, check.need.name };
    }
    return (struct refusal){ 0 };
}

const char *missing_how(const struct object *missing) {
    return object_node(missing)->defect.code ? "cannot be loaded" : "is not found";
}

char *refusal_text(const struct refusal *refusal) {
    const char *by = node_path(object_node(refusal->by)), *what = node_path(object_node(refusal->what));
    return refusal->kind == REFUSAL_LIBRARY ? must_format("%s, needed by %s, %s", what, by, missing_how(refusal->what))
                                            : must_format("version %s, needed by %s, is not in %s", refusal->version, by, what);
}

struct refusal *versions_gone(const struct session *session, const struct object *by, u32 *count) {
    struct version_check check = { 0 };
    struct refusal *list = NULL;
    enum version_verdict verdict;
    *count = 0;
    while ((verdict = version_next(&check, by, session->first)) != VERSION_END) {
        if (verdict == VERSION_FOUND)
            continue;
        list = must_grow(list, *count + 1ul, sizeof *list);
        list[(*count)++] = (struct refusal){ REFUSAL_VERSION, by, check.from, check.need.name };
    }
    return list;
}
