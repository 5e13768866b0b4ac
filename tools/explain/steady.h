/* steady.h - the bytes of a file, readable whatever becomes of it: a program that is installed in place while it is read would end us with
 * SIGBUS, and a string that ended in the file as it was may not end any more. */
#ifndef LDR_EXPLAIN_STEADY_H
#define LDR_EXPLAIN_STEADY_H

#include "../../ldr/base/base.h"

/* steady_map - maps a whole file, privately and writable (libelf may convert in place), and a page of zeros behind it. Pages that the file
 * no longer has when they are first touched are zeros too, and steady_lost tells of it. Never unmapped.
 *   in      len   more than 0
 *   returns NULL with errno set */
struct steady *steady_map(int fd, u64 len);
u8 *steady_at(const struct steady *steady);
bool steady_lost(const struct steady *steady);

#endif
