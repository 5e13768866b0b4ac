/* names.h - every definition of a name in one object, and what the linker's own judgement says of each. */
#ifndef LDR_EXPLAIN_NAMES_H
#define LDR_EXPLAIN_NAMES_H

#include "session.h"

/* names_offsets - where the string table holds the name, ascending. Link editors merge strings, so it may be the tail of many others. A
 * symbol of that name has one of these offsets, and no string need be read symbol by symbol. `at` is malloc'd. */
struct name_offsets { u32 *at, count; };
struct name_offsets names_offsets(const struct image *image, const char *name);
bool names_offset_is(const struct name_offsets *offsets, u32 offset);
/* names_symbols - numbers of all entries of that name in the object's dynamic symbol table that its hash tables count, ascending; malloc'd. */
u32 *names_symbols(const struct object *object, const struct name_offsets *offsets, u32 *count);

struct definition {
    u32 symbol;                       /* in the dynamic symbol table */
    const Elf64_Sym *entry;
    const struct version *version;    /* NULL: none */
    bool version_hidden;              /* not the default version */
    enum symbol_verdict verdict;
};
/* names_judge - one entry and what it is worth; `want` may be NULL: no verdict. */
struct definition names_judge(const struct object *object, u32 symbol, const struct symbol_want *want);
/* names_each - names_judge for every entry of names_symbols. */
void names_each(const struct object *object, const char *name, const struct symbol_want *want, void (*visit)(const struct definition *, void *),
                void *arg);
/* A definition that only the full symbol table (.symtab) has: bound by the link editor, or made invisible by it. */
struct full_symbol {
    const char *how;                  /* "local", "hidden", or "not exported" for a global one */
    u64 value, size;
    bool is_code;
};
/* names_full - the definition of that name in .symtab, a global one before others; false: none, or the file is stripped. */
bool names_full(const struct node *node, const char *name, struct full_symbol *out);
/* names_readable - "Pool<int>::count (_ZN4PoolIiE5countE)" for a C++ symbol, else the name itself; malloc'd. */
char *names_readable(const char *name);
/* names_mangled - the symbol that some object of the session refers to or defines and that reads as `readable` (with or without its
 * parameters); malloc'd, NULL: none. *others: how many more there are. */
char *names_mangled(const struct session *session, const char *readable, u32 *others);
struct symbol_want names_want(const char *name, const struct version *version);
const char *verdict_text(enum symbol_verdict verdict);

#endif
