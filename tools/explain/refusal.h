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
char *refusal_text(const struct refusal *refusal);              /* malloc'd */
/* version_gone - whether a version that a reference of `by` names is needed of a library that is there and lacks it, whatever the need's
 * strength; *from is that library. */
bool version_gone(const struct session *session, const struct object *by, const char *version, const struct object **from);

#endif
