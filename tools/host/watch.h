/* watch.h - wait for a child and look at its memory in the moment before it ends. */
#ifndef LDR_HOST_WATCH_H
#define LDR_HOST_WATCH_H

#include <stdbool.h>
#include <sys/types.h>

/* watch_child - seizes the child (ptrace) without stopping it, hands its signals on, and calls `look` once, when the child has ended running
 * and still has its memory. Other stops are passed through as the kernel means them.
 *   in    child   a child of ours that waits for the byte that `go` sends; sent once it is seized, or cannot be
 *   out   status  as waitpid gives it
 *   returns true when look was called */
bool watch_child(pid_t child, int go, void (*look)(pid_t child, void *arg), void *arg, int *status);

#endif
