/* unique.h - one definition of a unique symbol per process. */
#ifndef LDR_EXPLAIN_UNIQUE_H
#define LDR_EXPLAIN_UNIQUE_H

#include "session.h"

struct uniques;
struct uniques *uniques_build(const struct session *session);
/* uniques_binding - the definition of the process in place of the one found by scope. */
struct binding uniques_binding(const struct uniques *uniques, const struct binding *found);
void uniques_free(struct uniques *uniques);

#endif
