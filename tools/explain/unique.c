/* unique.c - which definition of a unique symbol (STB_GNU_UNIQUE) the process has: the one that the first reference found, whatever later
 * references find in their scopes and versions. So every reference that meets one is looked up in the order in which objects are
 * relocated (run/relocate.c, settle_binding in run/reference.c, run/unique.c), once, when the first is asked for. */
#include "unique.h"
#include "../ldr.h"
#include "relocs.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    u32 hash;
    const char *name;                 /* as the definer has it */
    struct binding binding;
};
struct uniques {
    struct entry *table;
    u32 count, room;                  /* room: a power of two */
};
struct building {
    const struct session *session;
    struct uniques *uniques;
    struct object *object;
    u32 last_symbol, last_classes;
};

static struct entry *place_of(const struct uniques *uniques, u32 hash, const char *name) {
    u32 at = hash & (uniques->room - 1);
    while (uniques->table[at].name && (uniques->table[at].hash != hash || strcmp(uniques->table[at].name, name) != 0))
        at = (at + 1) & (uniques->room - 1);
    return &uniques->table[at];
}

static void grow(struct uniques *uniques) {
    struct uniques old = *uniques;
    uniques->room = old.room ? old.room * 2 : 256;
    uniques->table = must_alloc(uniques->room, sizeof *uniques->table);
    for (u32 i = 0; i < old.room; i++)
        if (old.table[i].name)
            *place_of(uniques, old.table[i].hash, old.table[i].name) = old.table[i];
    free(old.table);
}

static bool enter(const struct reloc_record *record, void *arg) {
    struct building *building = arg;
    struct symbol_want want;
    struct binding found;
    u32 classes = reference_classes(record->kind);
    if (!record->symbol || (record->symbol == building->last_symbol && classes == building->last_classes))
        return true;
    building->last_symbol = record->symbol;
    building->last_classes = classes;
    if (session_find(building->session, building->object, record->symbol, record->kind, &want, &found) != 0 ||
        ELF64_ST_BIND(found.symbol->st_info) != STB_GNU_UNIQUE)
        return true;
    /* A copy relocation moves the unique object into the program. */
    if (classes & CLASS_COPY)
        found = (struct binding){ building->object, &building->object->image.symtab[record->symbol] };
    const char *name = found.object->image.strtab + found.symbol->st_name;
    u32 hash = gnu_hash_of(name);
    if (building->uniques->count * 2 >= building->uniques->room)
        grow(building->uniques);
    struct entry *entry = place_of(building->uniques, hash, name);
    if (!entry->name) {
        *entry = (struct entry){ hash, name, found };
        building->uniques->count++;
    }
    return true;
}

struct uniques *uniques_build(const struct session *session) {
    struct uniques *uniques = must_alloc(1, sizeof *uniques);
    const struct object *program = &session->program->object;
    for (int pass = 0; pass < 2; pass++)
        for (u32 i = session->global.count; i-- > 0;) {
            struct object *object = program->init_order[i];
            bool libc = object->image.soname && str_equal(object->image.soname, "libc.so.6");
            struct building building = { session, uniques, object, 0, 0 };
            if (libc == (pass == 0))
                relocs_each(object, enter, &building);
        }
    return uniques;
}

struct binding uniques_binding(const struct uniques *uniques, const struct binding *found) {
    if (!uniques->room || found->symbol->st_name >= found->object->image.strtab_len)
        return *found;
    const char *name = found->object->image.strtab + found->symbol->st_name;
    const struct entry *entry = place_of(uniques, gnu_hash_of(name), name);
    return entry->name ? entry->binding : *found;
}

void uniques_free(struct uniques *uniques) {
    if (uniques)
        free(uniques->table);
    free(uniques);
}
