/* child.h - for libraries that trust the bytes they read: work in a process that can only compute and write its answers into a pipe. */
#ifndef LDR_DEBUGINFO_CHILD_H
#define LDR_DEBUGINFO_CHILD_H

#include <stddef.h>

struct outbox {
    char *bytes;
    size_t len, room;
};

/* child_run - runs WORK in a child that can only compute and write; its outbox comes back as bytes, which are as hostile as what it read
 *   returns NULL on success, else why not, as a malloc'd sentence; BYTES malloc'd */
char *child_run(void (*work)(void *task, struct outbox *outbox), void *task, char **bytes, size_t *len);

#endif
