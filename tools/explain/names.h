/* names.h - every definition of a name in one object, and what the linker's own judgement says of each. */
#ifndef LDR_EXPLAIN_NAMES_H
#define LDR_EXPLAIN_NAMES_H

#include "session.h"

/* names_offsets - where the string table holds the name. Link editors merge strings, so it may be the tail of another. A symbol of that
 * name has one of these offsets, and no string need be read symbol by symbol.
 *   returns how many, at most NAME_OFFSETS_MAX */
enum { NAME_OFFSETS_MAX = 64 };
u32 names_offsets(const struct image *image, const char *name, u32 *offsets);

struct definition {
    u32 symbol;                       /* in the dynamic symbol table */
    const Elf64_Sym *entry;
    const struct version *version;    /* NULL: none */
    bool version_hidden;              /* not the default version */
    enum symbol_verdict verdict;
};
/* names_each - every entry of that name in the object's dynamic symbol table that its hash tables count; `want` may be NULL: no verdict. */
void names_each(const struct object *object, const char *name, const struct symbol_want *want, void (*visit)(const struct definition *, void *),
                void *arg);
/* names_local - a definition of that name that only the full symbol table (.symtab) has: local, or made local by hidden visibility.
 *   returns a word for it ("local", "hidden"), or NULL: none, or the file is stripped */
const char *names_local(const struct node *node, const char *name);
/* names_readable - "Pool<int>::count (_ZN4PoolIiE5countE)" for a C++ symbol, else the name itself; malloc'd. */
char *names_readable(const char *name);
/* names_mangled - the symbol that some object of the session refers to or defines and that reads as `readable` (with or without its
 * parameters); malloc'd, NULL: none. *others: how many more there are. */
char *names_mangled(const struct session *session, const char *readable, u32 *others);
struct symbol_want names_want(const char *name, const struct version *version);
const char *verdict_text(enum symbol_verdict verdict);

#endif
