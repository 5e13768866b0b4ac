/* find.c - a reference looked up by scope and version alone. */
#include "session.h"

static void quiet_take(struct report *report, const struct problem *problem) {
    (void)report;
    (void)problem;
}
static struct report quiet = { quiet_take };

int session_find(const struct session *session, struct object *object, u32 symbol, struct reloc_kind kind, struct symbol_want *want,
                 struct binding *out) {
    struct reference reference = { object, symbol, reference_classes(kind), &quiet, NULL };
    *want = (struct symbol_want){ 0 };
    return reference_find(&reference, &session->config, session->index, NULL, want, out);
}
