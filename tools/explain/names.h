/* names.h - every definition of a name in one object, and what the linker's own judgement says of each. */
#ifndef LDR_EXPLAIN_NAMES_H
#define LDR_EXPLAIN_NAMES_H

#include "session.h"

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
struct symbol_want names_want(const char *name, const struct version *version);
const char *verdict_text(enum symbol_verdict verdict);

#endif
