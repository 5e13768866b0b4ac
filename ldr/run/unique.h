#ifndef LDR_UNIQUE_H
#define LDR_UNIQUE_H
#include "run.h"

/* unique_binding - the process's one definition of a unique symbol: `mine` if it is the first. False: no memory. Load lock held. */
bool unique_binding(const char *name, const struct binding *mine, struct binding *out);

#endif
