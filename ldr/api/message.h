/* message.h - problems as text: for standard error at start-up, for dlerror afterwards. */
#ifndef LDR_MESSAGE_H
#define LDR_MESSAGE_H

#include "../run/run.h"

/* message_put - "OBJECT: what is wrong[: reason]" in the words of the system's linker. */
void message_put(struct text *text, const struct problem *problem);
/* message_put_detail - lines with the values found and expected and what to do; nothing when there is no more to say. */
void message_put_detail(struct text *text, const struct problem *problem);
/* Report for start-up: prints each problem at once; main decides when to stop. */
struct report message_start_report(void);
/* message_end - the next step to try for the first problem that was printed, then the end */
_Noreturn void message_end(int status);
/* Report for lazy binding: prints and ends the process with status 127. */
struct report message_fatal_lookup_report(void);
_Noreturn void message_die_lookup(const struct object *object, const char *what);
_Noreturn void message_die(const char *what, const char *detail);
void message_warn(const char *what);

#endif
