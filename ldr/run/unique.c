/* unique.c - STB_GNU_UNIQUE: one definition for the whole process, whoever asks and however scopes are cut (used by libstdc++ for static
 * members of templates). The first definition found is entered and its object can never be unloaded. */
#include "run.h"
#include "../compat/shim.h"

struct entry { u32 hash; const char *name; struct binding binding; };

/* A forgotten entry keeps its place, so that probes pass over it. */
static const char forgotten[1];
static struct entry *table;
static u32 table_count, table_room;

static struct entry *place_of(struct entry *in, u32 room, u32 hash, const char *name)
{
    u32 at = hash & (room - 1);
    while (in[at].name && (in[at].name == forgotten || in[at].hash != hash || !str_equal(in[at].name, name)))
        at = (at + 1) & (room - 1);
    return &in[at];
}

static bool grow(void)
{
    u32 room = table_room ? table_room * 2 : 32;
    struct entry *bigger = heap_alloc(room * sizeof *bigger);
    if (!bigger)
        return false;
    table_count = 0;
    for (u32 i = 0; i < table_room; i++)
        if (table[i].name && table[i].name != forgotten) {
            *place_of(bigger, room, table[i].hash, table[i].name) = table[i];
            table_count++;
        }
    heap_free(table);
    table = bigger;
    table_room = room;
    return true;
}

static void (*tell_first)(void);

void unique_before_first(void (*tell)(void))
{
    tell_first = tell;
}

void unique_each(void (*visit)(void *context, const struct binding *binding), void *context)
{
    for (u32 i = 0; i < table_room; i++)
        if (table[i].name && table[i].name != forgotten)
            visit(context, &table[i].binding);
}

bool unique_binding(const struct binding *mine, struct binding *out)
{
    if (UNLIKELY(tell_first != NULL)) {
        void (*tell)(void) = tell_first;
        shim_lock_load();
        tell_first = NULL;
        tell();
        shim_unlock_load();
    }
    /* The name as the definer has it: the table must not point into whoever asked. */
    const char *name = mine->object->image.strtab + mine->symbol->st_name;
    u32 hash = gnu_hash_of(name);
    bool found = false;
    shim_lock_load();
    if (table_count * 2 < table_room || grow()) {
        struct entry *entry = place_of(table, table_room, hash, name);
        if (!entry->name) {
            *entry = (struct entry){ hash, name, *mine };
            table_count++;
            if (!mine->object->at_start) {
                mine->object->no_delete = true;
                mine->object->no_delete_why = "it defines a unique symbol that is in use";
            }
        }
        *out = entry->binding;
        found = true;
    }
    shim_unlock_load();
    return found;
}

void unique_forget(const struct object *object)
{
    for (u32 i = 0; i < table_room; i++)
        if (table[i].name && table[i].binding.object == object)
            table[i] = (struct entry){ .name = forgotten };
}
