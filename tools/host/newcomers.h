/* newcomers.h - threads that a watched process makes. Few are told of by a stop at their start; of a process that makes many, those that have
 * lived for some milliseconds are looked for in /proc and seized as they run. Of one process at a time, by one thread. */
#ifndef LDR_HOST_NEWCOMERS_H
#define LDR_HOST_NEWCOMERS_H

#include "allowance.h"

#include <sys/types.h>

struct newcomers {
    bool every;                       /* all are told of, whatever it costs */
    bool sought;                      /* some thread makes its threads untold */
    struct allowance stops;           /* threads that may still be told of */
    uint64_t pause;                   /* to the next search, ns */
    timer_t timer;
};

void newcomers_begin(struct newcomers *newcomers, bool every);
void newcomers_end(struct newcomers *newcomers);
/* newcomers_told - one was told of, by a stop of the thread that made it. Whether the ones that this thread makes next shall be told of too;
 * once the answer was no, they are looked for: a signal interrupts waits now and then, newcomers_due is asked after each wait. */
bool newcomers_told(struct newcomers *newcomers);
/* newcomers_sought - from now on threads are looked for; false: no timer is to be had */
bool newcomers_sought(struct newcomers *newcomers);
bool newcomers_due(void);
/* newcomers_wait - until they are due, when there is nobody to wait for */
void newcomers_wait(void);
/* newcomers_hold - keeps that signal away from what would take it for an error, or lets it come again. */
void newcomers_hold(const struct newcomers *newcomers, bool hold);
/* newcomers_seek - seizes those that are not seized yet, with these options of ptrace(2); whether there were any. Left undone while the process is
 * about to execve. */
bool newcomers_seek(struct newcomers *newcomers, pid_t pid, unsigned long options);

#endif
