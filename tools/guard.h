/* guard.h - reading the bytes of a mapped file that somebody may cut short meanwhile: the kernel answers such a read with SIGBUS. */
#ifndef LDR_GUARD_H
#define LDR_GUARD_H

#include <stdbool.h>

/* guard_start - from here on SIGBUS ends what guarded() runs; anywhere else the command, with a message */
void guard_start(void);

/* guarded - runs work(context); false when SIGBUS ended it. What it had allocated is lost then, and locks it took stay taken: it takes
 * none but inside another guarded(). Calls may be nested and made by several threads. */
bool guarded(void (*work)(void *context), void *context);

#endif
