/* usage.h - who uses whom: references of one object that bind to another, counted over all relocations of a session. Only pairs that
 * occur are kept: most objects use a few others, and a hostile file may need thousands. */
#ifndef LDR_EXPLAIN_USAGE_H
#define LDR_EXPLAIN_USAGE_H

#include "session.h"

struct use {
    u32 provider, references;         /* node number */
    struct use *next;
};
struct usage {
    struct use **of;                  /* by node number of the user */
};
struct usage usage_new(const struct session *session);
void usage_add(struct usage *usage, const struct node *user, const struct node *provider);
/* usage_count - all of them; needs session_place with references. */
struct usage usage_count(const struct session *session);
u32 usage_of(const struct usage *usage, const struct node *user, const struct node *provider);
void usage_free(struct usage *usage, const struct session *session);

#endif
