/* refusal.h - what ends a start before the first symbol is looked up: a needed library or a version that is not there. */
#ifndef LDR_EXPLAIN_REFUSAL_H
#define LDR_EXPLAIN_REFUSAL_H

#include "session.h"

struct refusal {
    enum { REFUSAL_NONE, REFUSAL_LIBRARY, REFUSAL_VERSION } kind;
    const struct object *by;          /* who needs it */
    const struct object *what;        /* the library that is missing, or that lacks the version */
    const char *version;
};
/* session_refusal - the first of them, in the order of the linker: all libraries, then versions. Preloads and filtees that may be missing
 * end nothing. */
struct refusal session_refusal(const struct session *session);
/* missing_how - of a library that is not there: "is not found", or "cannot be loaded" where the search stopped at a damaged file. */
const char *missing_how(const struct object *missing);
char *refusal_text(const struct refusal *refusal);              /* malloc'd */
/* versions_gone - the versions that an object needs of libraries that are there and lack them, whatever the needs' strength; malloc'd. */
struct refusal *versions_gone(const struct session *session, const struct object *by, u32 *count);

#endif
