/* relocs.c - the tables of ldr/image as records, in the order of run/relocate.c: RELR, RELA, REL, jump slots. */
#include "relocs.h"

#include <string.h>

struct walk {
    const struct object *object;
    bool (*visit)(const struct reloc_record *, void *);
    void *arg;
    bool ended;
};

const char *reloc_table_name(enum reloc_table table) {
    static const char *const names[RELOC_TABLES] = { "DT_RELR", "DT_RELA", "DT_REL", "DT_JMPREL" };
    return names[table];
}

static void give(struct walk *walk, struct reloc_record *record) {
    record->kind = arch_reloc_kind(record->type);
    walk->ended = walk->ended || !walk->visit(record, walk->arg);
}

/* The word that the file has at the place is the addend where the table holds none. */
static void read_addend(const struct walk *walk, struct reloc_record *record) {
    const void *at = view_at(&walk->object->view, record->place, 8);
    record->addend_read = at != NULL;
    if (at)
        memcpy(&record->addend, at, 8);
}

static void give_relr(struct walk *walk, u64 place, u64 number) {
    struct reloc_record record = { .table = TABLE_RELR, .number = number, .place = place, .type = R_X86_64_RELATIVE };
    read_addend(walk, &record);
    give(walk, &record);
}

/* Format: run/relocate.c, apply_relr. */
static void walk_relr(struct walk *walk) {
    const struct relr_table *table = &walk->object->image.relr;
    u64 next = 0, number = 0;
    for (u64 i = 0; i < table->count && !walk->ended; i++) {
        u64 entry = table->at[i];
        if (!(entry & 1)) {
            give_relr(walk, entry, number++);
            next = entry + 8;
            continue;
        }
        for (u64 bits = entry >> 1, place = next; bits && !walk->ended; bits >>= 1, place += 8)
            if (bits & 1)
                give_relr(walk, place, number++);
        next += 63 * 8;
    }
}

static void walk_rela(struct walk *walk, enum reloc_table which, const struct rela_table *table) {
    for (u64 i = 0; i < table->count && !walk->ended; i++) {
        const Elf64_Rela *r = &table->at[i];
        struct reloc_record record = { .table = which, .number = i, .place = r->r_offset, .type = (u32)ELF64_R_TYPE(r->r_info),
                                       .symbol = (u32)ELF64_R_SYM(r->r_info), .addend = r->r_addend, .addend_read = true };
        give(walk, &record);
    }
}

static void walk_rel(struct walk *walk) {
    const struct rel_table *table = &walk->object->image.rel;
    for (u64 i = 0; i < table->count && !walk->ended; i++) {
        const Elf64_Rel *r = &table->at[i];
        struct reloc_record record = { .table = TABLE_REL, .number = i, .place = r->r_offset, .type = (u32)ELF64_R_TYPE(r->r_info),
                                       .symbol = (u32)ELF64_R_SYM(r->r_info) };
        read_addend(walk, &record);
        give(walk, &record);
    }
}

void relocs_each(const struct object *object, bool (*visit)(const struct reloc_record *, void *), void *arg) {
    struct walk walk = { object, visit, arg, false };
    walk_relr(&walk);
    walk_rela(&walk, TABLE_RELA, &object->image.rela);
    walk_rel(&walk);
    walk_rela(&walk, TABLE_PLT, &object->image.plt);
}

static bool count_one(const struct reloc_record *record, void *arg) {
    (void)record;
    ++*(u64 *)arg;
    return true;
}

u64 relocs_count(const struct object *object) {
    u64 count = 0;
    relocs_each(object, count_one, &count);
    return count;
}

const char *relocs_symbol_name(const struct object *object, u32 symbol) {
    const struct image *image = &object->image;
    return symbol && symbol < image->sym_limit ? image_string(image, image->symtab[symbol].st_name) : NULL;
}

bool relocs_lazy(const struct object *object, const struct reloc_record *record) {
    return record->table == TABLE_PLT && record->type == R_X86_64_JUMP_SLOT && relocs_lazily(object);
}

bool relocs_lazily(const struct object *object) {
    return !object->image.bind_now && object->image.pltgot_vaddr && object->image.plt.count;
}
