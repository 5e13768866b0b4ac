/* check_load.c - what loading meets: libraries and versions that are not there, two of one kind; and the order of all rules for a root. */
#include "../ldr.h"
#include "check.h"
#include "hint.h"
#include "relocs.h"

#include <stdlib.h>
#include <string.h>

static void check_root_refused(struct findings *findings, const char *root, const struct defect *defect) {
    findings_add(findings, RULE_MALFORMED, rule_severity(RULE_MALFORMED), root, root, "", defect_text(defect), NULL,
                 must_format("Replace the file: it is damaged, truncated, or was made for something else."));
}

enum { LIBRARIES_HINTED = 20 };       /* missing libraries of one root that are looked for elsewhere too, which is slow */

/* The linker says so and goes on: nothing was linked with it. */
static void missing_preload(const struct check *check, const struct request *request) {
    struct lines lines = { 0 };
    const struct node *missing = request->result;
    char *why = missing->defect.code ? defect_text(&missing->defect) : NULL;
    char *advice = hint_library(check->session, missing->found_by ? missing->found_by : request, &lines);
    findings_add(check->findings, RULE_MISSING_PRELOAD, rule_severity(RULE_MISSING_PRELOAD), check->root, check->root, request->name,
                 why ? must_format("%s, named by %s, cannot be loaded (%s: %s): the linker says so and goes on without it", request->name, request->list, missing->defect_path, why)
                     : must_format("%s, named by %s, is not found: the linker says so and goes on without it", request->name, request->list),
                 lines.text, advice);
    free(why);
}

static void check_missing_libraries(const struct check *check) {
    u32 told = 0;
    for (const struct request *request = check->session->requests; request; request = request->next) {
        const struct node *by = request->by, *missing = request->result;
        if (!missing || !missing->object.is_missing || request->kind == REQUEST_AUXILIARY)
            continue;
        if (request->kind == REQUEST_PRELOAD) {
            if (!findings_known(check->findings, RULE_MISSING_PRELOAD, check->root, check->root, request->name))
                missing_preload(check, request);
            continue;
        }
        const char *object = node_path(by);
        if (findings_known(check->findings, RULE_MISSING_LIBRARY, check->root, object, request->name))
            continue;
        struct lines lines = { 0 };
        const struct request *searched = missing->found_by ? missing->found_by : request;
        if (by->found_by)
            lines_add(&lines, "%s is needed by %s", node_path(by), by->found_by->by ? node_path(by->found_by->by) : "a preload list");
        char *advice = told++ < LIBRARIES_HINTED ? hint_library(check->session, searched, &lines) : must_format("Install the library %s.", request->name), *why = NULL;
        if (missing->defect.code)
            why = defect_text(&missing->defect);
        /* A library may be right: the program that opens it has the other loaded already. */
        findings_add(check->findings, RULE_MISSING_LIBRARY, check->is_library ? SEVERITY_WARNING : SEVERITY_ERROR, check->root, object, request->name,
                     why ? must_format("%s cannot be loaded: %s: %s", request->name, missing->defect_path, why)
                         : must_format("%s is not found", request->name),
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

/* The linker says so at each start; the system's ends the program where the library's symbols have no version numbers at all. */
static void without_versions(const struct check *check, const struct node *node, const struct version_check *versions) {
    const struct node *library = object_node(versions->from);
    findings_add(check->findings, RULE_NO_VERSIONS, SEVERITY_WARNING, check->root, node_path(node), versions->need.file,
                 must_format("%s has no versions, but some are needed of it", node_path(library)), NULL,
                 must_format("Build %s with its version script, or link %s anew with this one.", node_path(library), node_path(node)));
}

static void check_versions(const struct check *check, const struct node *node) {
    struct version_check versions = { 0 };
    enum version_verdict verdict;
    if (node->object.is_missing)
        return;
    while ((verdict = version_next(&versions, &node->object, check->session->first)) != VERSION_END) {
        if (versions.new_file && versions.from && !versions.from->image.verdef_count && !versions.from->is_missing)
            without_versions(check, node, &versions);
        if (verdict != VERSION_FOUND)
            missing_version(check, node, &versions, verdict == VERSION_MISSING_WEAK);
    }
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

struct family {
    const struct node *node;
    const char *name;
    size_t len;
};

/* By name and, in one family, in load order. */
static int compare_families(const void *a, const void *b) {
    const struct family *x = a, *y = b;
    int order = strncmp(x->name, y->name, x->len < y->len ? x->len : y->len);
    return order ? order : x->len != y->len ? (x->len < y->len ? -1 : 1) : x->node->number < y->node->number ? -1 : 1;
}

static void tell_duplicate(const struct check *check, const struct family *a, const struct family *b) {
    bool named = strcmp(a->name, b->name) != 0;
    struct lines lines = { 0 };
    lines_add(&lines, "%s, needed by %s", node_path(a->node), needer(a->node));
    lines_add(&lines, "%s, needed by %s", node_path(b->node), needer(b->node));
    lines_add(&lines, "symbols of both names are answered by the first, unless their versions differ");
    findings_add(check->findings, RULE_DUPLICATE, SEVERITY_WARNING, check->root, check->root, b->name,
                 must_format("%s and %s are loaded into one process", named ? a->name : node_path(a->node), named ? b->name : node_path(b->node)), lines.text,
                 must_format("Build all users against one of them."));
}

/* Each with the first of its family: that is who answers. */
static void check_duplicates(const struct check *check) {
    struct family *list = must_alloc(check->session->count, sizeof *list);
    size_t count = 0;
    for (const struct object *object = check->session->first->next; object; object = object->next)
        if (!object->is_missing) {
            struct family *one = &list[count++];
            one->node = object_node(object);
            one->len = family(one->node, &one->name);
        }
    if (count)
        qsort(list, count, sizeof *list, compare_families);
    for (size_t i = 1, first = 0; i < count; i++)
        if (list[i].len == list[first].len && strncmp(list[i].name, list[first].name, list[i].len) == 0)
            tell_duplicate(check, &list[first], &list[i]);
        else
            first = i;
    free(list);
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

static void tell_changed(const struct library_file *file, void *arg) {
    findings_add(arg, RULE_CHANGED, rule_severity(RULE_CHANGED), file->path, file->path, "", must_format("was written to while it was read: what is told of it may be of two states"),
                 NULL, must_format("Check again when nothing writes to it."));
}

void check_changed(struct findings *findings, struct catalog *catalog) { catalog_changed(catalog, tell_changed, findings); }

int check_program(struct findings *findings, const struct session_options *options, const char *path) {
    struct session session;
    struct defect defect;
    int error = session_begin(&session, options, path, &defect);
    if (error) {
        if (error < 0)
            check_root_refused(findings, path, &defect);
        session_end(&session);
        return error > 0 ? error : 0;
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
    return 0;
}
