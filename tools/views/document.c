/* document.c - members of a report's document. */
#include "views.h"

#include <json-c/json.h>
#include <string.h>

const char *const count_names[COUNT_NAMES] = {
    "pages_mapped", "frames", "frames_shared", "frames_shared_copies", "frames_alone", "pages_private",
    "pages_private_relocation", "pages_private_relocation_and_write", "pages_private_write", "pages_private_identical",
    "pages_private_unknown", "frames_memory", "pages_private_unresolved", "page_copies_avoided", "pages_mapped_again", "pages_swapped",
    "pages_from_images", "page_copies_avoided_images", "pages_won_relocated", "pages_won_duplicates",
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
