/* report_json.c - the cache for programs. The schema is documented in ldr(1); a change of meaning raises its version. */
#include "report.h"
#include "../json.h"
#include "../ldr.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/sysmacros.h>

enum { SCHEMA_VERSION = 1 };

static void put(struct json_object *to, const char *key, u64 value) { json_object_object_add(to, key, json_object_new_uint64(value)); }

static void put_text(struct json_object *to, const char *key, const char *value) {
    json_object_object_add(to, key, json_name(value));
}

static void put_file(struct json_object *to, const struct file_identity *file) {
    char device[32];
    snprintf(device, sizeof device, "%02x:%02x", major(file->dev), minor(file->dev));
    put_text(to, "device", device);
    put(to, "inode", file->ino);
}

/* The linker's own words, as LD_DEBUG=cache has them. */
static void put_why(struct json_object *to, const struct start_object *object) {
    char *why = object->kind != KIND_PLAIN ? NULL : object->plain_at ? must_format("%s, at 0x%llx", plain_why_text(object->plain_why), (unsigned long long)object->plain_at)
                                                                     : must_format("%s", plain_why_text(object->plain_why));
    put_text(to, "why", why);
    free(why);
}

static struct json_object *objects_json(const struct start *start) {
    static const char *const kinds[] = { "image", "relocated", "kernel" };
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < start->object_count; i++) {
        struct json_object *object = json_object_new_object();
        put_text(object, "path", start->objects[i].path);
        put_text(object, "from", kinds[start->objects[i].kind]);
        put_why(object, &start->objects[i]);
        put(object, "pages", start->objects[i].pages);
        put(object, "pages_read_only", start->objects[i].read_only);
        json_object_array_add(list, object);
    }
    return list;
}

static void put_time(struct json_object *to, const char *key, time_t seconds) {
    json_object_object_add(to, key, seconds ? json_object_new_int64(seconds) : NULL);
}

static struct json_object *start_json(const struct cache_dir *store, const struct start *start) {
    struct json_object *to = json_object_new_object();
    put_text(to, "record", start->name);
    put_text(to, "program", start->key_known ? start->key.text[KEY_PATH] : NULL);
    put_text(to, "entered", start->key_known ? start_entry(start) : NULL);
    put_text(to, "directory", start->key.text[KEY_DIR]);
    put_text(to, "state", start_state_name(start->state));
    put_text(to, "why", start->why);
    put(to, "made", (u64)start->made.tv_sec);
    put_time(to, "last_read", start_was_read(store, start) ? start->read.tv_sec : 0);
    put(to, "processes", start->users);
    put(to, "bytes", start->size);
    put(to, "packs", start->pack_count);
    put(to, "pages", start->pages);
    put(to, "pages_read_only", start->read_only);
    json_object_object_add(to, "objects", objects_json(start));
    return to;
}

/* Each program once, whatever the number of its records. */
static struct json_object *programs_json(const struct cache_dir *store, const struct cached_image *image) {
    struct json_object *seen = json_object_new_object(), *list = json_object_new_array();
    for (size_t i = 0; i < image->start_count; i++) {
        const char *program = start_program(&store->starts[image->starts[i]]);
        if (json_object_object_get_ex(seen, program, NULL))
            continue;
        json_object_object_add(seen, program, NULL);
        json_object_array_add(list, json_object_new_string(program));
    }
    json_object_put(seen);
    return list;
}

static struct json_object *images_json(const struct cache_dir *store) {
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < store->image_count; i++) {
        const struct cached_image *image = &store->images[i];
        struct json_object *to = json_object_new_object();
        put_text(to, "path", image->path);
        put_file(to, &image->file);
        put(to, "pages", image->pages);
        put(to, "pages_read_only", image->read_only);
        put(to, "bytes", image->pages * LDR_PAGE);
        put(to, "processes", image->use.users);
        put(to, "pages_mapped", image->use.mapped);
        put(to, "pages_saved", image->use.saved);
        json_object_object_add(to, "programs", programs_json(store, image));
        json_object_array_add(list, to);
    }
    return list;
}

static struct json_object *packs_json(const struct cache_dir *store) {
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < store->pack_count; i++) {
        struct json_object *pack = json_object_new_object();
        put_text(pack, "name", store->packs[i].name);
        put(pack, "bytes", store->packs[i].size);
        put(pack, "starts", store->packs[i].starts);
        put(pack, "processes", store->packs[i].users);
        json_object_object_add(pack, "in_catalog", json_object_new_boolean(store->packs[i].in_catalog));
        json_object_array_add(list, pack);
    }
    return list;
}

static struct json_object *begin(const struct cache_dir *store, const char *schema) {
    struct json_object *root = json_object_new_object();
    put_text(root, "schema", schema);
    put(root, "schema_version", SCHEMA_VERSION);
    put_text(root, "directory", store->path);
    put_text(root, "loader", store->loader);
    return root;
}

static void end(struct json_object *root) {
    puts(json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(root);
}

void cache_report_json(const struct cache_dir *store) {
    struct json_object *root = begin(store, "ldr-cache"), *starts = json_object_new_array();
    for (size_t i = 0; i < store->start_count; i++)
        json_object_array_add(starts, start_json(store, &store->starts[i]));
    put(root, "page_bytes", LDR_PAGE);
    put(root, "bytes", store->size);
    put(root, "unfinished", store->unfinished);
    put(root, "foreign", store->foreign);
    put_text(root, "catalog_unusable", store->catalog_why);
    put(root, "places", store->place_count);
    put_text(root, "last_read_within", store->read_times == READ_TIMES_EXACT ? "exact" : store->read_times == READ_TIMES_DAY ? "day" : NULL);
    put(root, "processes", store->use.processes);
    put(root, "processes_unreadable", store->use.unreadable);
    put(root, "pages_mapped", store->use.mapped);
    put(root, "pages_saved", store->use.saved);
    json_object_object_add(root, "exact", json_object_new_boolean(store->use.exact));
    json_object_object_add(root, "starts", starts);
    json_object_object_add(root, "images", images_json(store));
    json_object_object_add(root, "packs", packs_json(store));
    end(root);
}

void cache_verdicts_json(const struct cache_dir *store, const struct verdicts *verdicts) {
    struct json_object *root = begin(store, "ldr-cache-verify"), *list = json_object_new_array();
    put(root, "hold", verdicts->of[VERDICT_HOLDS]);
    put(root, "differ", verdicts->of[VERDICT_DIFFERS]);
    put(root, "stale", verdicts->of[VERDICT_STALE]);
    put(root, "not_verified", verdicts->of[VERDICT_CANNOT]);
    put(root, "images", store->image_count);
    put(root, "images_not_compared", verdicts->images_left);
    struct json_object *packs = json_object_new_array();
    for (size_t i = 0; i < verdicts->pack_count; i++)
        json_object_array_add(packs, json_object_new_string(verdicts->packs[i]));
    json_object_object_add(root, "packs_damaged", packs);
    for (size_t i = 0; i < verdicts->count; i++) {
        if (verdicts->list[i].result == VERDICT_NOT_ASKED)
            continue;
        struct json_object *to = json_object_new_object();
        put_text(to, "record", store->starts[i].name);
        put_text(to, "program", store->starts[i].key_known ? store->starts[i].key.text[KEY_PATH] : NULL);
        put_text(to, "result", verdict_name(verdicts->list[i].result));
        put_text(to, "why", verdicts->list[i].why);
        json_object_array_add(list, to);
    }
    json_object_object_add(root, "starts", list);
    end(root);
}
