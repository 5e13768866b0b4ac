/* document.c - members of a report's document, and whether a document from a file is one. */
#include "views.h"
#include "../ldr.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>

enum { SCHEMA_VERSION = 2 };

/* Pages of 4 KiB in a 64-bit address space: no count of a real report is higher. */
#define COUNT_MAX (UINT64_C(1) << 52)

const char *const count_names[COUNT_NAMES] = {
    "pages_mapped", "frames", "frames_shared", "frames_shared_copies", "frames_alone", "pages_private",
    "pages_private_relocation", "pages_private_relocation_and_write", "pages_private_write", "pages_private_identical",
    "pages_private_unknown", "frames_memory", "pages_private_unresolved", "page_copies_avoided", "pages_mapped_again", "pages_swapped",
};

const char *const kernel_names[KERNEL_NAMES] = { "rss_pages", "swap_pages", "page_table_kib", "minor_faults", "major_faults" };

const struct cause_name cause_names[CAUSE_NAMES] = {
    { "pages_private_relocation", "reloc", "relocation" },
    { "pages_private_relocation_and_write", "reloc+write", "relocation_and_write" },
    { "pages_private_write", "write", "write" },
    { "pages_private_identical", "identical", "identical" },
    { "pages_private_unknown", "unknown", "unknown" },
};

static struct json_object *member(const struct json_object *object, const char *key, enum json_type type) {
    struct json_object *value = NULL;
    if (!json_object_is_type(object, json_type_object) || !json_object_object_get_ex(object, key, &value))
        return NULL;
    return value && json_object_is_type(value, type) ? value : NULL;
}

uint64_t member_count(const struct json_object *object, const char *key) {
    return json_object_get_uint64(member(object, key, json_type_int));
}

double member_number(const struct json_object *object, const char *key) {
    struct json_object *value = member(object, key, json_type_double);
    return value ? json_object_get_double(value) : (double)member_count(object, key);
}

bool member_flag(const struct json_object *object, const char *key) {
    return json_object_get_boolean(member(object, key, json_type_boolean));
}

const char *member_text(const struct json_object *object, const char *key) {
    struct json_object *value = member(object, key, json_type_string);
    return value ? json_object_get_string(value) : "";
}

struct json_object *member_list(const struct json_object *object, const char *key) {
    return member(object, key, json_type_array);
}

struct json_object *member_object(const struct json_object *object, const char *key) {
    return member(object, key, json_type_object);
}

size_t list_length(const struct json_object *list) { return list ? json_object_array_length(list) : 0; }

struct json_object *list_item(const struct json_object *list, size_t index) { return json_object_array_get_idx(list, index); }

uint64_t member_pid(const struct json_object *process) {
    struct json_object *pids = member_list(process, "pids");
    return list_length(pids) ? json_object_get_uint64(list_item(pids, 0)) : member_count(process, "pid");
}

uint64_t count_sum(uint64_t a, uint64_t b) {
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) || sum > INT64_MAX ? INT64_MAX : sum;
}

const char *file_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* ---- documents from files ---- */

static const char *shown(const struct json_object *value) {
    const char *text = json_object_to_json_string_ext((struct json_object *)value, JSON_C_TO_STRING_PLAIN);
    return strlen(text) <= 40 ? text : "(a long value)";
}

/* Every whole number below VALUE must be a possible count, whatever its name: views may add up any of them. */
static char *check_numbers(const struct json_object *value, const char *key) {
    char *error = NULL;
    switch (json_object_get_type(value)) {
    case json_type_int:
        if (json_object_get_int64(value) < 0 || json_object_get_uint64(value) > COUNT_MAX)
            /* inodes, frame numbers and times are no counts */
            if (strcmp(key, "inode") != 0)
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

static char *check_member(const struct json_object *object, const char *where, const char *key, enum json_type type) {
    struct json_object *value = NULL;
    if (!json_object_object_get_ex(object, key, &value))
        return must_format("%s has no %s", where, key);
    if (!json_object_is_type(value, type))
        return must_format("%s of %s is %s, expected %s", key, where, shown(value), json_type_to_name(type));
    return NULL;
}

static char *check_counts(const struct json_object *object, const char *where) {
    static const char *const needed[] = { "pages_mapped", "frames", "frames_shared", "frames_alone", "pages_private" };
    char *error = NULL;
    for (size_t i = 0; !error && i < sizeof needed / sizeof needed[0]; i++)
        error = check_member(object, where, needed[i], json_type_int);
    for (size_t i = 0; !error && i < CAUSE_NAMES; i++)
        error = check_member(object, where, cause_names[i].member, json_type_int);
    return error;
}

static char *check_list(const struct json_object *document, const char *key, const char *item_name_key) {
    char *error = check_member(document, "the report", key, json_type_array);
    struct json_object *list = member_list(document, key);
    for (size_t i = 0; !error && i < list_length(list); i++) {
        struct json_object *item = list_item(list, i);
        char where[64];
        snprintf(where, sizeof where, "%s[%zu]", key, i);
        if (!json_object_is_type(item, json_type_object))
            error = must_format("%s is %s, expected an object", where, shown(item));
        if (!error)
            error = check_member(item, where, item_name_key, json_type_string);
        if (!error)
            error = check_counts(item, where);
    }
    return error;
}

char *document_check(const struct json_object *document) {
    if (!json_object_is_type(document, json_type_object))
        return must_format("it is %s, expected an object", shown(document));
    if (strcmp(member_text(document, "schema"), "ldr-pages") != 0) {
        struct json_object *schema = NULL;
        if (!json_object_object_get_ex(document, "schema", &schema))
            return must_format("it has no member schema: not a report of ldr pages");
        return must_format("schema is %s, expected \"ldr-pages\"", shown(schema));
    }
    uint64_t version = member_count(document, "schema_version");
    if (version != SCHEMA_VERSION)
        return must_format("schema_version is %" PRIu64 ", expected %d", version, SCHEMA_VERSION);
    char *error = check_member(document, "the report", "method", json_type_string);
    if (!error)
        error = check_member(document, "the report", "exact", json_type_boolean);
    if (!error)
        error = check_member(document, "the report", "totals", json_type_object);
    if (!error)
        error = check_counts(member_object(document, "totals"), "totals");
    if (!error)
        error = check_list(document, "processes", "name");
    if (!error)
        error = check_list(document, "objects", "path");
    if (!error)
        error = check_numbers(document, "the report");
    return error;
}
