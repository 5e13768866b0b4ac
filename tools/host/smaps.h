/* smaps.h - the last resort: what the kernel sums up for each mapping, where page tables may not be read.
 *
 * /proc/PID/pagemap has mode 0400 and smaps 0444: with CAP_SYS_PTRACE or CAP_PERFMON and without CAP_DAC_READ_SEARCH other users' smaps can be
 * read and their page tables cannot. Some systems that stand in for Linux have smaps and no pagemap. */
#ifndef LDR_HOST_SMAPS_H
#define LDR_HOST_SMAPS_H

#include "reading.h"

/* smaps_take - reads the process once: its vmas, and process->smaps (smaps_count); its state is set */
void smaps_take(struct readings *readings, struct reader *reader, struct process *process);

#endif
