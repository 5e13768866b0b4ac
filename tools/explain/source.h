/* source.h - where in the source an address of an object was written, from its debug information. */
#ifndef LDR_EXPLAIN_SOURCE_H
#define LDR_EXPLAIN_SOURCE_H

#include "session.h"

/* source_of - a sentence for the code or the variable at a link-time address: "declared in file.c:12 as int table[4]"; malloc'd. NULL: no
 * debug information tells. Reads the whole of it: only for what a person asked for. */
char *source_of(const struct node *node, u64 vaddr, bool is_code);

#endif
