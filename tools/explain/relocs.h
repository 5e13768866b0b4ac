/* relocs.h - every relocation of one object as one kind of record, whatever table it stands in. */
#ifndef LDR_EXPLAIN_RELOCS_H
#define LDR_EXPLAIN_RELOCS_H

#include "session.h"

enum reloc_table { TABLE_RELR, TABLE_RELA, TABLE_REL, TABLE_PLT, RELOC_TABLES };
struct reloc_record {
    enum reloc_table table;
    u64 number;                       /* in its table; of a RELR bitmap: of the place decoded */
    u64 place;                        /* link-time address */
    u32 type, symbol;                 /* symbol 0: none */
    i64 addend;
    bool addend_read;                 /* false: it stands at the place, and the file has no bytes there (addend is 0) */
    struct reloc_kind kind;
};
/* relocs_each - calls visit for every record, in the order that the linker applies tables. False from visit ends the walk. */
void relocs_each(const struct object *object, bool (*visit)(const struct reloc_record *, void *), void *arg);
u64 relocs_count(const struct object *object);
const char *reloc_table_name(enum reloc_table table);          /* "DT_RELA" */
/* relocs_symbol_name - name of a record's symbol; NULL: none, or outside the tables. */
const char *relocs_symbol_name(const struct object *object, u32 symbol);
/* relocs_lazy - whether the record is a jump slot that is bound at its first call unless LD_BIND_NOW is set. */
bool relocs_lazy(const struct object *object, const struct reloc_record *record);
/* relocs_lazily - whether the object has such slots at all (LD_BIND_NOW aside). */
bool relocs_lazily(const struct object *object);

#endif
