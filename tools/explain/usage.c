/* usage.c - looks every reference up once, as `ldd -u` does, but per pair of objects. */
#include "usage.h"
#include "../ldr.h"
#include "relocs.h"

struct counting {
    const struct session *session;
    struct usage *usage;
    struct object *object;
    u32 last_symbol, last_classes, last_provider; /* link editors sort entries by symbol */
};

static bool count_one(const struct reloc_record *record, void *arg) {
    struct counting *counting = arg;
    struct symbol_want want;
    struct binding found;
    if (!record->symbol)
        return true;
    u32 classes = reference_classes(record->kind);
    if (counting->last_symbol != record->symbol || counting->last_classes != classes) {
        int got = session_bind(counting->session, counting->object, record->symbol, record->kind, &want, &found);
        counting->last_symbol = record->symbol;
        counting->last_classes = classes;
        counting->last_provider = got == 0 ? object_node(found.object)->number : counting->usage->count;
    }
    if (counting->last_provider < counting->usage->count)
        counting->usage->references[(u64)object_node(counting->object)->number * counting->usage->count + counting->last_provider]++;
    return true;
}

struct usage usage_count(const struct session *session) {
    struct usage usage = { session->count, must_alloc((size_t)session->count * session->count, sizeof(u32)) };
    for (struct object *object = session->first; object; object = object->next) {
        struct counting counting = { session, &usage, object, 0, 0, 0 };
        relocs_each(object, count_one, &counting);
    }
    return usage;
}

bool usage_by_others(const struct usage *usage, const struct node *provider) {
    for (u32 user = 0; user < usage->count; user++)
        if (user != provider->number && usage->references[(u64)user * usage->count + provider->number])
            return true;
    return false;
}
