/* hold.h - all threads of a watched process but one stand still, so that nothing happens that would not have happened when that one dies. */
#ifndef LDR_HOST_HOLD_H
#define LDR_HOST_HOLD_H

#include "newcomers.h"

/* hold_others - stops them as by PTRACE_INTERRUPT, those too that were not seized (with these options of ptrace(2)), and waits until they stand: 300 ms
 * at most, for one may wait in the kernel for something that does not come. Their stops are still to be waited for: who takes those lets them go on. */
void hold_others(pid_t pid, pid_t but, struct newcomers *newcomers, unsigned long options);
/* hold_until_killed - `but` goes on to the signal that ends the process: waits until the kernel has told the others, so that none that is let
 * go on now runs any more. A second at most: it may have lived on. */
void hold_until_killed(pid_t pid, pid_t but);

#endif
