/* check.c - is this document, which came from a file, a report that the views can show?
 *
 * What every report has must be there. What a report may have (page map, matrix, histogram) may be missing, but has the right shape
 * when it is there: the page's program relies on it. All whole numbers are possible counts, because views add them up.
 */
#include "views.h"
#include "../ldr.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>

enum { SCHEMA_VERSION = 3, SCHEMA_OLDEST = 2 };

/* Pages of 4 KiB in a 64-bit address space: no count of a real report is higher. */
#define COUNT_MAX (UINT64_C(1) << 52)

static const char *shown(const struct json_object *value) {
    const char *text = json_object_to_json_string_ext((struct json_object *)value, JSON_C_TO_STRING_PLAIN);
    return strlen(text) <= 40 ? text : "(a long value)";
}

/* Every whole number below VALUE, whatever its name. */
static char *check_numbers(const struct json_object *value, const char *key) {
    char *error = NULL;
    switch (json_object_get_type(value)) {
    case json_type_int:
        /* an inode is no count */
        if (strcmp(key, "inode") != 0 && (json_object_get_int64(value) < 0 || json_object_get_uint64(value) > COUNT_MAX))
            error = must_format("%s is %s, expected 0 to %" PRIu64, key, shown(value), COUNT_MAX);
        break;
    case json_type_array:
        for (size_t i = 0; !error && i < json_object_array_length(value); i++)
            error = check_numbers(json_object_array_get_idx(value, i), key);
        break;
    case json_type_object: {
        json_object_object_foreach((struct json_object *)value, name, item) {
            if (!error)
                error = check_numbers(item, name);
        }
        break;
    }
    default: break;
    }
    return error;
}

static char *wrong_type(const char *where, const struct json_object *value, const char *expected) {
    return must_format("%s is %s, expected %s", where, shown(value), expected);
}

static char *check_member(const struct json_object *object, const char *where, const char *key, enum json_type type) {
    struct json_object *value = NULL;
    if (!json_object_object_get_ex(object, key, &value))
        return must_format("%s has no %s", where, key);
    if (!json_object_is_type(value, type))
        return must_format("%s of %s is %s, expected %s", key, where, shown(value), json_type_to_name(type));
    return NULL;
}

/* A member that may be missing. */
static char *check_optional(const struct json_object *object, const char *where, const char *key, enum json_type type) {
    return json_object_object_get_ex(object, key, NULL) ? check_member(object, where, key, type) : NULL;
}

/* Every item of LIST (NULL: none) is of TYPE and, if ITEM is given, what that says. */
static char *check_items(struct json_object *list, const char *where, enum json_type type,
                         char *(*item_check)(struct json_object *item, const char *where)) {
    char *error = NULL;
    for (size_t i = 0; !error && i < list_length(list); i++) {
        struct json_object *item = list_item(list, i);
        char place[160];
        snprintf(place, sizeof place, "%s[%zu]", where, i);
        if (!json_object_is_type(item, type))
            error = wrong_type(place, item, json_type_to_name(type));
        else if (item_check)
            error = item_check(item, place);
    }
    return error;
}

static char *check_member_items(struct json_object *object, const char *where, const char *key, enum json_type type,
                                char *(*item_check)(struct json_object *item, const char *where)) {
    char *error = check_optional(object, where, key, json_type_array), place[160];
    snprintf(place, sizeof place, "%s.%s", where, key);
    return error ? error : check_items(member_list(object, key), place, type, item_check);
}

static char *check_counts(const struct json_object *object, const char *where) {
    static const char *const needed[] = { "pages_mapped", "frames", "frames_shared", "frames_alone", "pages_private" };
    char *error = NULL;
    for (size_t i = 0; !error && i < sizeof needed / sizeof needed[0]; i++)
        error = check_member(object, where, needed[i], json_type_int);
    for (size_t i = 0; !error && i < CAUSE_NAMES; i++)
        error = check_member(object, where, cause_names[i].member, json_type_int);
    for (size_t i = 0; !error && i < COUNT_NAMES; i++)
        error = check_optional(object, where, count_names[i], json_type_int);
    for (size_t i = 0; !error && i < KERNEL_NAMES; i++)
        error = check_optional(object, where, kernel_names[i], json_type_int);
    if (!error)
        error = check_optional(object, where, "classes", json_type_object);
    if (!error && member_object(object, "classes")) {
        json_object_object_foreach(member_object(object, "classes"), class, pages) {
            if (!error && !json_object_is_type(pages, json_type_int))
                error = must_format("class %s of %s is %s, expected int", class, where, shown(pages));
        }
    }
    return error;
}

/* [class, owners, pages, set] */
static char *check_run(struct json_object *run, const char *where) {
    if (list_length(run) < 3 || !json_object_is_type(list_item(run, 0), json_type_string))
        return wrong_type(where, run, "[class, owners, pages, set]");
    for (size_t i = 1; i < list_length(run); i++)
        if (!json_object_is_type(list_item(run, i), json_type_int))
            return wrong_type(where, run, "[class, owners, pages, set]");
    return NULL;
}

static char *check_segment(struct json_object *segment, const char *where) {
    char *error = check_member(segment, where, "segment", json_type_string);
    if (!error)
        error = check_counts(segment, where);
    return error ? error : check_member_items(segment, where, "map", json_type_array, check_run);
}

static char *check_object(struct json_object *object, const char *where) {
    char *error = check_member(object, where, "path", json_type_string);
    if (!error)
        error = check_counts(object, where);
    if (!error)
        error = check_member(object, where, "processes", json_type_int);
    return error ? error : check_member_items(object, where, "segments", json_type_object, check_segment);
}

static char *check_process(struct json_object *process, const char *where) {
    char *error = check_member(process, where, "name", json_type_string);
    if (!error)
        error = check_counts(process, where);
    if (!error)
        error = check_optional(process, where, "pid", json_type_int);
    return error ? error : check_member_items(process, where, "pids", json_type_int, NULL);
}

static char *check_bar(struct json_object *bar, const char *where) {
    char *error = check_member(bar, where, "owners", json_type_int);
    return error ? error : check_member(bar, where, "frames", json_type_int);
}

static char *check_int_list(struct json_object *list, const char *where) { return check_items(list, where, json_type_int, NULL); }

static char *check_matrix(struct json_object *document) {
    char *error = check_optional(document, "the report", "matrix", json_type_object);
    struct json_object *matrix = member_object(document, "matrix");
    if (error || !matrix)
        return error;
    error = check_member(matrix, "matrix", "owners", json_type_array);
    if (!error)
        error = check_member(matrix, "matrix", "shared_frames", json_type_array);
    if (!error)
        error = check_member_items(matrix, "matrix", "owners", json_type_int, NULL);
    if (!error)
        error = check_member_items(matrix, "matrix", "shared_frames", json_type_array, check_int_list);
    struct json_object *rows = member_list(matrix, "shared_frames");
    size_t count = list_length(member_list(matrix, "owners"));
    if (!error && list_length(rows) != count)
        error = must_format("matrix has %zu rows, expected %zu, as many as owners", list_length(rows), count);
    for (size_t i = 0; !error && i < count; i++)
        if (list_length(list_item(rows, i)) != count)
            error = must_format("row %zu of matrix has %zu numbers, expected %zu", i, list_length(list_item(rows, i)), count);
    return error;
}

static char *check_named_file(struct json_object *file, const char *where) { return check_member(file, where, "path", json_type_string); }

static char *check_set(struct json_object *set, const char *where) {
    char *error = check_member(set, where, "pages", json_type_int);
    return error ? error : check_member_items(set, where, "files", json_type_object, check_named_file);
}

static char *check_savings(struct json_object *document) {
    char *error = check_optional(document, "the report", "savings", json_type_object);
    struct json_object *savings = member_object(document, "savings");
    if (!error && savings)
        error = check_optional(savings, "savings", "if_duplicates_one", json_type_object);
    struct json_object *duplicates = member_object(savings, "if_duplicates_one");
    return error || !duplicates ? error : check_member_items(duplicates, "savings.if_duplicates_one", "sets", json_type_object, check_set);
}

/* ---- who made pages private ---- */

static char *check_variable(struct json_object *variable, const char *where) {
    char *error = check_member(variable, where, "name", json_type_string);
    return error ? error : check_member_items(variable, where, "members", json_type_string, NULL);
}

static char *check_type(struct json_object *type, const char *where) {
    char *error = check_member(type, where, "type", json_type_string);
    return error ? error : check_member(type, where, "count", json_type_int);
}

static char *check_page(struct json_object *page, const char *where) {
    char *error = check_member(page, where, "vaddr", json_type_string);
    if (!error)
        error = check_member(page, where, "copies", json_type_int);
    if (!error)
        error = check_member_items(page, where, "sections", json_type_string, NULL);
    if (!error)
        error = check_member_items(page, where, "types", json_type_object, check_type);
    if (!error)
        error = check_member_items(page, where, "symbols", json_type_string, NULL);
    return error ? error : check_member_items(page, where, "variables", json_type_object, check_variable);
}

static char *check_listed(struct json_object *object, const char *where) {
    char *error = check_member(object, where, "path", json_type_string);
    if (!error)
        error = check_member(object, where, "copies", json_type_int);
    if (!error)
        error = check_optional(object, where, "names", json_type_object);
    return error ? error : check_member_items(object, where, "pages", json_type_object, check_page);
}

static char *check_why(struct json_object *document) {
    char *error = check_optional(document, "the report", "why", json_type_object);
    struct json_object *why = member_object(document, "why");
    return error || !why ? error : check_member_items(why, "why", "objects", json_type_object, check_listed);
}

static char *check_head(const struct json_object *document) {
    static const struct { const char *key; enum json_type type; bool needed; } members[] = {
        { "method", json_type_string, true }, { "exact", json_type_boolean, true }, { "totals", json_type_object, true },
        { "processes", json_type_array, true }, { "objects", json_type_array, true }, { "histogram", json_type_array, false },
        { "owner_sets", json_type_array, false }, { "time", json_type_string, false },
        { "scope", json_type_string, false }, { "kernel", json_type_string, false }, { "page_bytes", json_type_int, false },
        { "readings", json_type_int, false }, { "elapsed_s", json_type_double, false },
    };
    char *error = NULL;
    for (size_t i = 0; !error && i < sizeof members / sizeof members[0]; i++)
        error = (members[i].needed ? check_member : check_optional)(document, "the report", members[i].key, members[i].type);
    return error;
}

char *document_check(struct json_object *document) {
    if (!json_object_is_type(document, json_type_object))
        return must_format("it is %s, expected an object", shown(document));
    struct json_object *schema = NULL;
    if (!json_object_object_get_ex(document, "schema", &schema))
        return must_format("it has no member schema: not a report of ldr pages");
    if (strcmp(member_text(document, "schema"), "ldr-pages") != 0)
        return must_format("schema is %s, expected \"ldr-pages\"", shown(schema));
    uint64_t version = member_count(document, "schema_version");
    if (version < SCHEMA_OLDEST || version > SCHEMA_VERSION)
        return must_format("schema_version is %" PRIu64 ", expected %d or %d", version, SCHEMA_OLDEST, SCHEMA_VERSION);
    char *error = check_head(document);
    if (!error)
        error = check_counts(member_object(document, "totals"), "totals");
    if (!error)
        error = check_member(member_object(document, "totals"), "totals", "processes", json_type_int);
    if (!error)
        error = check_items(member_list(document, "processes"), "processes", json_type_object, check_process);
    if (!error)
        error = check_items(member_list(document, "objects"), "objects", json_type_object, check_object);
    if (!error)
        error = check_items(member_list(document, "histogram"), "histogram", json_type_object, check_bar);
    if (!error)
        error = check_items(member_list(document, "owner_sets"), "owner_sets", json_type_array, check_int_list);
    if (!error)
        error = check_matrix(document);
    if (!error)
        error = check_savings(document);
    if (!error)
        error = check_why(document);
    return error ? error : check_numbers(document, "the report");
}
