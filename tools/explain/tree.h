/* tree.h - the report of `ldr tree`. */
#ifndef LDR_EXPLAIN_TREE_H
#define LDR_EXPLAIN_TREE_H

#include "root.h"
#include "usage.h"

struct tree_report {
    const struct session *session;
    const struct usage *usage;        /* NULL: not asked for */
    bool tried;                       /* also what was tried for libraries that were found */
    bool list;                        /* flat, in load order */
    u32 missing, unused;              /* out: counted while printing */
};
void tree_text(struct tree_report *report);
void tree_json(struct tree_report *report);
/* tree_why_needed - chains from the program to every object that answers to `name`; false: none does. */
bool tree_why_needed(const struct tree_report *report, const char *name);
bool tree_why_needed_json(const struct tree_report *report, const char *name);
/* tree_is_meant - whether a user's word means the object: a name it answers to, its path, its file name */
bool tree_is_meant(const struct node *node, const char *name);

const char *attempt_outcome_name(enum attempt_outcome outcome);
/* attempt_text - one line about a candidate that was not taken; malloc'd. NULL: nothing worth telling (a machine-dependent subdirectory
 * that does not exist). */
char *attempt_text(const struct attempt *attempt);
/* found_text - by which rule a node was found; malloc'd */
char *found_text(const struct node *node);
/* shown_path - the path to show: for the linker the one that the program names */
const char *shown_path(const struct session *session, const struct node *node);
struct json_object *attempts_json(const struct attempt *first);

#endif
