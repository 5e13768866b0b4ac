/* usage.h - who uses whom: references of one object that bind to another, counted over all relocations of a session. */
#ifndef LDR_EXPLAIN_USAGE_H
#define LDR_EXPLAIN_USAGE_H

#include "session.h"

struct usage {
    u32 count;                        /* nodes of the session */
    u32 *references;                  /* [user * count + provider]; malloc'd */
};
/* usage_count - needs session_place with references. */
struct usage usage_count(const struct session *session);
static inline u32 usage_of(const struct usage *usage, const struct node *user, const struct node *provider) {
    return usage->references[(u64)user->number * usage->count + provider->number];
}
/* usage_by_others - whether any object but itself uses it. */
bool usage_by_others(const struct usage *usage, const struct node *provider);

#endif
