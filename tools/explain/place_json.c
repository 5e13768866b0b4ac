/* place_json.c - `ldr why --json` of an address. Schema in ldr-why(1). */
#include "../json.h"
#include "../ldr.h"
#include "place.h"
#include "sections.h"

#include <stdlib.h>

enum { SCHEMA_VERSION = 1 };

static void put(struct json_object *to, const char *key, u64 value) { json_object_object_add(to, key, json_object_new_uint64(value)); }

static void put_text(struct json_object *to, const char *key, const char *value) { json_object_object_add(to, key, json_name(value)); }

static const char *kind_name(const struct place *place) {
    static const char *const reserved[] = { "nothing", "got-dynamic", "got-object", "got-resolver", "got-unused", "debug", "dynamic-entry" };
    return place->outside ? "outside" : place->in_plt ? "plt" : place->found ? "relocation" : reserved[place->reserved];
}

static struct json_object *record_json(const struct place *place) {
    const struct reloc_record *record = &place->record;
    const struct version *version = relocs_symbol_name(place->object, record->symbol) ? reference_version(place->object, record->symbol) : NULL;
    struct json_object *one = json_object_new_object();
    put_text(one, "table", reloc_table_name(record->table));
    put(one, "place", record->place);
    put_text(one, "type", arch_reloc_name(record->type));
    put(one, "type_number", record->type);
    put_text(one, "symbol", relocs_symbol_name(place->object, record->symbol));
    put_text(one, "version", version ? version->name : NULL);
    json_object_object_add(one, "addend", json_object_new_int64(record->addend));
    json_object_object_add(one, "lazy", json_object_new_boolean(relocs_lazy(place->object, record)));
    return one;
}

struct json_object *place_json(const struct session *session, const struct place *place) {
    struct json_object *root = json_object_new_object();
    struct sections sections = sections_read(object_node(place->object)->file);
    const struct section *section = sections_at(&sections, place->vaddr);
    put_text(root, "schema", "ldr-why-address");
    put(root, "schema_version", SCHEMA_VERSION);
    put_text(root, "program", node_path(session->program));
    put_text(root, "object", node_path(object_node(place->object)));
    put(root, "vaddr", place->vaddr);
    put_text(root, "section", section ? section->name : NULL);
    put_text(root, "kind", kind_name(place));
    json_object_object_add(root, "relocation", place->found ? record_json(place) : NULL);
    sections_free(&sections);
    return root;
}

struct json_object *process_json(const struct process_view *view, const struct session *session, const struct place *place) {
    static const char *const states[] = { [WORD_UNREADABLE] = "unreadable", [WORD_NOT_FORETOLD] = "not-foretold", [WORD_AS_STORED] = "as-stored",
                                          [WORD_NOT_CALLED_YET] = "not-called-yet", [WORD_CHOSEN] = "chosen", [WORD_CHANGED] = "changed" };
    struct judgement judged = process_judge(view, session, place);
    struct json_object *one = json_object_new_object();
    u64 vaddr = 0;
    const struct object *object = judged.state == WORD_UNREADABLE ? NULL : process_locate(view, session, judged.word, &vaddr);
    json_object_object_add(one, "pid", json_object_new_int((int)view->pid));
    put_text(one, "state", states[judged.state]);
    if (judged.state != WORD_UNREADABLE)
        put(one, "word", judged.word);
    if (judged.state > WORD_NOT_FORETOLD)
        put(one, "stored", judged.stored);
    put_text(one, "word_object", object ? node_path(object_node(object)) : NULL);
    if (object)
        put(one, "word_vaddr", vaddr);
    return one;
}
