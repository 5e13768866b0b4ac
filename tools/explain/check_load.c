/* check_load.c - what loading meets: libraries and versions that are not there, two of one kind; and the order of all rules for a root. */
#include "../ldr.h"
#include "check.h"
#include "hint.h"
#include "relocs.h"

#include <stdlib.h>
#include <string.h>

void check_root_refused(struct findings *findings, const char *root, const char *why) {
    findings_add(findings, RULE_MALFORMED, rule_severity(RULE_MALFORMED), root, root, "", must_format("%s", why), NULL,
                 must_format("Replace the file: it is damaged, truncated, or was made for something else."));
}

static void check_missing_libraries(const struct check *check) {
    for (const struct request *request = check->session->requests; request; request = request->next) {
        const struct node *by = request->by, *missing = request->result;
        if (!missing || !missing->object.is_missing || request->kind == REQUEST_AUXILIARY)
            continue;
        const char *object = by ? node_path(by) : check->root;
        if (findings_known(check->findings, RULE_MISSING_LIBRARY, check->root, object, request->name))
            continue;
        struct lines lines = { 0 };
        const struct request *searched = missing->found_by ? missing->found_by : request;
        if (by && by->found_by) {
            lines_add(&lines, "%s is needed by %s", node_path(by), by->found_by->by ? node_path(by->found_by->by) : "a preload list");
        }
        char *advice = hint_library(check->session, searched, &lines), *why = NULL;
        if (missing->defect.code)
            why = defect_text(&missing->defect);
        /* A library may be right: the program that opens it has the other loaded already. */
        findings_add(check->findings, RULE_MISSING_LIBRARY, check->is_library ? SEVERITY_WARNING : SEVERITY_ERROR, check->root, object, request->name,
                     why ? must_format("%s cannot be loaded: %s: %s", request->name, missing->defect_path, why)
                         : must_format("%s is not found%s", request->name, by ? "" : " (preload)"),
                     lines.text, advice);
        free(why);
    }
}

/* ---- versions ---------------------------------------------------------------------------------------------------------- */

struct version_users {
    const struct object *object;
    const char *version;
    struct lines *lines;
    u32 count, last;
};

static bool note_version_user(const struct reloc_record *record, void *arg) {
    struct version_users *users = arg;
    if (!record->symbol || record->symbol == users->last || record->symbol >= users->object->image.sym_limit)
        return true;
    users->last = record->symbol;
    const struct version *version = reference_version(users->object, record->symbol);
    const char *name = relocs_symbol_name(users->object, record->symbol);
    if (version && name && strcmp(version->name, users->version) == 0 && users->count++ < 6)
        lines_add(users->lines, "needed for %s", name);
    return true;
}

static void missing_version(const struct check *check, const struct node *node, const struct version_check *versions, bool weak) {
    char *subject = must_format("%s@%s", versions->need.file, versions->need.name);
    if (!findings_known(check->findings, RULE_MISSING_VERSION, check->root, node_path(node), subject)) {
        struct lines lines = { 0 };
        struct version_users users = { &node->object, versions->need.name, &lines, 0, 0 };
        relocs_each(&node->object, note_version_user, &users);
        if (users.count > 6)
            lines_add(&lines, "... and %u more symbols", users.count - 6);
        char *advice = hint_version(check->session, versions->need.file, versions->need.name, &lines);
        findings_add(check->findings, RULE_MISSING_VERSION, weak ? SEVERITY_NOTE : SEVERITY_ERROR, check->root, node_path(node), subject,
                     must_format("version %s is not in %s%s", versions->need.name, node_path(object_node(versions->from)), weak ? " (weak: the program starts)" : ""),
                     lines.text, advice);
    }
    free(subject);
}

static void check_versions(const struct check *check, const struct node *node) {
    struct version_check versions = { 0 };
    enum version_verdict verdict;
    if (node->object.is_missing)
        return;
    while ((verdict = version_next(&versions, &node->object, check->session->first)) != VERSION_END)
        if (verdict != VERSION_FOUND)
            missing_version(check, node, &versions, verdict == VERSION_MISSING_WEAK);
    if (version_relr_unmarked(&versions, &node->object))
        findings_add(check->findings, RULE_RELR_MARKER, SEVERITY_ERROR, check->root, node_path(node), "",
                     must_format("DT_RELR without GLIBC_ABI_DT_RELR dependency: the linker refuses it"), NULL,
                     must_format("Link with -z pack-relative-relocs, which adds the dependency."));
}

/* ---- two of one kind --------------------------------------------------------------------------------------------------- */

/* What two versions of one library share: the name up to ".so"; a file's name where there is no soname. */
static size_t family(const struct node *node, const char **name) {
    const char *path = node_path(node), *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    *name = node->object.image.soname ? node->object.image.soname : base;
    const char *so = strstr(*name, ".so");
    return so ? (size_t)(so - *name) : strlen(*name);
}

static const char *needer(const struct node *node) { return node->object.loader ? node_path(object_node(node->object.loader)) : "a preload list"; }

static void check_duplicates(const struct check *check) {
    for (const struct object *a = check->session->first->next; a; a = a->next)
        for (const struct object *b = a->next; b && !a->is_missing; b = b->next) {
            const char *name_a, *name_b;
            size_t len = family(object_node(a), &name_a);
            if (b->is_missing || family(object_node(b), &name_b) != len || strncmp(name_a, name_b, len) != 0)
                continue;
            struct lines lines = { 0 };
            lines_add(&lines, "%s, needed by %s", node_path(object_node(a)), needer(object_node(a)));
            lines_add(&lines, "%s, needed by %s", node_path(object_node(b)), needer(object_node(b)));
            lines_add(&lines, "symbols of both names are answered by the first, unless their versions differ");
            findings_add(check->findings, RULE_DUPLICATE, SEVERITY_WARNING, check->root, check->root, name_b,
                         must_format("%s and %s are loaded into one process", strcmp(name_a, name_b) ? name_a : node_path(object_node(a)),
                                     strcmp(name_a, name_b) ? name_b : node_path(object_node(b))),
                         lines.text, must_format("Build all users against one of them."));
        }
}

void check_loading(const struct check *check) {
    const struct session *session = check->session;
    const char *interpreter = session_interpreter(session);
    if (interpreter && !catalog_exists(session->catalog, interpreter))
        findings_add(check->findings, RULE_NO_INTERPRETER, SEVERITY_ERROR, check->root, check->root, interpreter,
                     must_format("its linker %s does not exist: starting it says \"No such file or directory\" of the program itself", interpreter), NULL,
                     must_format("Install that C library (musl, a 32-bit or a foreign one?), or set the interpreter (patchelf --set-interpreter)."));
    if (session->load_defect.code) {
        char *why = defect_text(&session->load_defect);
        findings_add(check->findings, RULE_MALFORMED, SEVERITY_ERROR, check->root, session->load_defect_path ? session->load_defect_path : check->root, "needs", why, NULL,
                     must_format("Replace the file: the names of what it needs are damaged."));
    }
    check_missing_libraries(check);
    for (const struct object *object = session->first; object; object = object->next)
        check_versions(check, object_node(object));
    check_duplicates(check);
}

void check_program(struct findings *findings, const struct session_options *options, const char *path) {
    struct session session;
    struct defect defect;
    int error = session_begin(&session, options, path, &defect);
    if (error) {
        char *why = error > 0 ? must_format("cannot be read: %s", errno_text(error)) : defect_text(&defect);
        check_root_refused(findings, path, why);
        free(why);
        session_end(&session);
        return;
    }
    session_load(&session);
    session_place(&session, true);
    struct check check = { .findings = findings, .session = &session, .root = path, .is_library = session_is_library(&session) };
    if (!session_is_static(&session))
        check_loading(&check);
    for (const struct object *object = session.first; object; object = object->next)
        check_file(&check, object_node(object));
    if (!session_is_static(&session))
        check_bindings(&check);
    session_end(&session);
}
