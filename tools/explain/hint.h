/* hint.h - what may help: libraries of this machine that have what is missing, names that are nearly right. */
#ifndef LDR_EXPLAIN_HINT_H
#define LDR_EXPLAIN_HINT_H

#include "finding.h"
#include "session.h"

/* hint_library - evidence for a library that was not found: candidates passed over, other files of the name.
 *   returns malloc'd advice */
char *hint_library(const struct session *session, const struct request *request, struct lines *evidence);
/* hint_symbol - evidence for a symbol that nobody in the session defines: definitions that do not answer (hidden, another version, local),
 * libraries of this machine that define it, names that are nearly the same.
 *   version   NULL: none asked for
 *   returns malloc'd advice */
char *hint_symbol(const struct session *session, const char *name, const struct version *version, struct lines *evidence);
/* hint_version - libraries of this machine that define the version in place of `file`; malloc'd advice. */
char *hint_version(const struct session *session, const char *file, const char *version, struct lines *evidence);

#endif
