/* agree.h - holds the pages of a process against the kernel's own sums. */
#ifndef LDR_HOST_AGREE_H
#define LDR_HOST_AGREE_H

#include "reading.h"

/* process_compare - for a process in state PROCESS_OK, when its readings agree
 *   out     process   facts; markers: words that may be swapped pages or markers; disagrees: resident or swapped pages are not as
 *                     many as the kernel counts though nothing changed (with SCOPE_ALL; otherwise nobody can tell);
 *                     words that turn out to be markers are gone */
void process_compare(struct readings *readings, struct reader *reader, struct process *process);

#endif
