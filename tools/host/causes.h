/* causes.h - fills in why each private copy of a snapshot is private. */
#ifndef LDR_HOST_CAUSES_H
#define LDR_HOST_CAUSES_H

#include "collect.h"

/* find_causes - compares every private copy in the snapshot with its file
 *   in      collection   complete; names[].proc still open
 *   out     collection   owners[].causes, and why some stayed unknown: memory_unreadable, files_unexplained, causes_changed */
void find_causes(struct collection *collection);

#endif
