/* rights.h - which capabilities would help, told to a person: only those that this process lacks. */
#ifndef LDR_HOST_RIGHTS_H
#define LDR_HOST_RIGHTS_H

#include <stdbool.h>

/* What has to be read of others. */
enum right {
    RIGHT_PAGE_TABLES, /* /proc/PID/pagemap, with frame numbers */
    RIGHT_MEMORY,      /* /proc/PID/mem */
};

/* rights_needed - completes "cannot be read (...)": "needs CAP_A and CAP_B, or to run as its user"; where none is lacking, that
 * something else refuses. known: false when the refusal was not this process's, so that its capabilities say nothing. malloc'd */
char *rights_needed(enum right right, bool known);

#endif
