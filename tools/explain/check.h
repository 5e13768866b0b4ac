/* check.h - the rules of `ldr check`. Each looks at one file or one session and adds findings; none decides what the linker does. */
#ifndef LDR_EXPLAIN_CHECK_H
#define LDR_EXPLAIN_CHECK_H

#include "finding.h"
#include "session.h"

struct check {
    struct findings *findings;
    const struct session *session;
    const char *root;                 /* the file that was asked about */
    bool is_library;                  /* the root is no program: somebody else will load it */
    u32 *relocate_order;              /* by node number: when it is relocated */
};

/* check_file - what a file says of itself: stack, segments, hardening, search paths. */
void check_file(const struct check *check, const struct node *node);
/* check_loading - libraries and versions missing, duplicates. */
void check_loading(const struct check *check);
/* check_bindings - every reference: undefined, interposed, copied, from a library that is not needed. */
void check_bindings(const struct check *check);
/* check_program - all of it for one file. Returns 0, or a positive errno when the file cannot be opened: that says nothing of its contents. */
int check_program(struct findings *findings, const struct session_options *options, const char *path);

/* check_changed - files that were written to meanwhile. */
void check_changed(struct findings *findings, struct catalog *catalog);

/* check_report.c */
struct check_summary { size_t files, programs; u64 counts[SEVERITIES]; };
void check_text(struct findings *findings, const struct check_summary *summary, enum severity least);
void check_json(struct findings *findings, const struct check_summary *summary);
void check_sarif(struct findings *findings);

#endif
