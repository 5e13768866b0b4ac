/* progress.h - tells on standard error how far a long report is. Any thread may call; between progress_end and progress_start nothing
 * is told. */
#ifndef LDR_PROGRESS_H
#define LDR_PROGRESS_H

#include <stddef.h>

/* progress_start - a report begins. After its first second a line says what is going on, then one every second on a terminal (over
 * the last one) and every ten seconds elsewhere. */
void progress_start(void);
/* progress_phase - from now on ALL things of this kind are done; what must live on ("reading page tables of processes") */
void progress_phase(const char *what, size_t all);
/* progress_step - one of them is done */
void progress_step(void);
/* progress_end - the report is complete; the terminal's line is cleared */
void progress_end(void);

#endif
