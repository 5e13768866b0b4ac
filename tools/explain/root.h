/* root.h - options that tree, why, relocs and check share, and the file that a user's word means. */
#ifndef LDR_EXPLAIN_ROOT_H
#define LDR_EXPLAIN_ROOT_H

#include "session.h"

#include <argp.h>

struct explain_options {
    const char *sysroot, *library_path, *preload;
    bool json, inhibit_cache, no_environment;
    char **environment;               /* in place of ours; NULL: ours */
};
/* Options as a child parser; its input is a struct explain_options. */
extern const struct argp explain_argp;
#define EXPLAIN_CHILDREN { { &explain_argp, 0, NULL, 0 }, { 0 } }

/* explain_catalog - the catalog that the options choose; NULL after one message. */
struct catalog *explain_catalog(const struct explain_options *options);
struct session_options explain_session_options(const struct explain_options *options, struct catalog *catalog);
/* explain_root - the file in the catalog's tree that `word` means: a path; a program of PATH; a library of the default directories or the
 * cache. A script's interpreter stands for it (noted on stderr).
 *   returns a malloc'd path, or NULL after one message */
char *explain_root(struct catalog *catalog, const char *word);
/* explain_begin - catalog, root and session in one; exits with a message and LDR_EXIT_NO_TARGET when there is nothing to explain. */
void explain_begin(struct session *session, const struct explain_options *options, const char *word);
/* explain_end - ends the session and tells of files that were written to meanwhile.
 *   returns `status`, or LDR_EXIT_PARTIAL when there was one */
int explain_end(struct session *session, int status);
/* explain_failure - what to say of a root that session_begin refused; malloc'd. */
char *explain_failure(int error, const struct defect *defect);

bool utf8_output(void);               /* may the text have box-drawing characters? */
char *size_text(u64 bytes);           /* "1.9 MiB", malloc'd */

#endif
