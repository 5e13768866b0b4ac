/* forward.h - a command that waits for the program it started: signals meant to end it are the program's. */
#ifndef LDR_HOST_FORWARD_H
#define LDR_HOST_FORWARD_H

#include <sys/types.h>

/* forward_fork - as fork. From its return on this process hands SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2 and SIGALRM to the child,
 *   those left out that were ignored before, and what a terminal sends to both anyway. The child has its signals as they were. One at a time.
 *   That the child has ended is told to this process also where SIGCHLD was ignored.
 *   in      own   one of these that means this process instead: not handed on, and blocked here from now on; 0: none */
pid_t forward_fork(int own);
/* forward_end - the child has been waited for: signals mean this process again */
void forward_end(void);

#endif
