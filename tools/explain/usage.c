/* usage.c - looks every reference up once, as `ldd -u` does, but per pair of objects. */
#include "usage.h"
#include "../ldr.h"
#include "relocs.h"

#include <stdlib.h>

struct usage usage_new(const struct session *session) { return (struct usage){ must_alloc(session->count, sizeof(struct use *)) }; }

/* What was asked for last comes to the front: references to one library stand together. */
static struct use *find(const struct usage *usage, const struct node *user, const struct node *provider) {
    struct use **first = &usage->of[user->number];
    for (struct use **at = first; *at; at = &(*at)->next) {
        struct use *use = *at;
        if (use->provider != provider->number)
            continue;
        *at = use->next;
        use->next = *first;
        return *first = use;
    }
    return NULL;
}

void usage_add(struct usage *usage, const struct node *user, const struct node *provider) {
    struct use *use = find(usage, user, provider);
    if (!use) {
        use = must_alloc(1, sizeof *use);
        *use = (struct use){ provider->number, 0, usage->of[user->number] };
        usage->of[user->number] = use;
    }
    use->references++;
}

u32 usage_of(const struct usage *usage, const struct node *user, const struct node *provider) {
    const struct use *use = find(usage, user, provider);
    return use ? use->references : 0;
}

void usage_free(struct usage *usage, const struct session *session) {
    for (u32 i = 0; usage->of && i < session->count; i++)
        for (struct use *use = usage->of[i], *next; use; use = next) {
            next = use->next;
            free(use);
        }
    free(usage->of);
    usage->of = NULL;
}

struct counting {
    const struct session *session;
    struct usage *usage;
    struct object *object;
    u32 last_symbol, last_classes;    /* link editors sort entries by symbol */
    const struct node *last_provider; /* NULL: nobody answers */
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
        counting->last_provider = got == 0 ? object_node(found.object) : NULL;
    }
    if (counting->last_provider)
        usage_add(counting->usage, object_node(counting->object), counting->last_provider);
    return true;
}

struct usage usage_count(const struct session *session) {
    struct usage usage = usage_new(session);
    for (struct object *object = session->first; object; object = object->next) {
        struct counting counting = { .session = session, .usage = &usage, .object = object };
        relocs_each(object, count_one, &counting);
    }
    return usage;
}
