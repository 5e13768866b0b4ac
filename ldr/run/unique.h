#ifndef LDR_UNIQUE_H
#define LDR_UNIQUE_H
#include "run.h"

/* unique_binding - the process's one definition of a unique symbol: `mine` if it is the first. False: no memory. Takes the load lock. */
bool unique_binding(const struct binding *mine, struct binding *out);
/* unique_forget - the object goes (a failed dlopen: in use it could not). */
void unique_forget(const struct object *object);

#endif
