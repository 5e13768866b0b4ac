/* life.h - numbers of a process's or thread's life that /proc tells: where it ran last, when it started. */
#ifndef LDR_HOST_LIFE_H
#define LDR_HOST_LIFE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum life_number { LIFE_START = 22 /* ticks since boot */, LIFE_CPU = 39 /* it ran on last */, LIFE_STATUS = 52 /* of its end, as waitpid(2) has it; 0 before */ };
/* life_number - a number of its stat file; 0 when there is none */
uint64_t life_number(pid_t task, enum life_number which);
/* life_state - its state, a letter as in proc(5); 0 when there is none */
char life_state(pid_t task);
/* life_is_traced - whether somebody watches it by ptrace(2) */
bool life_is_traced(pid_t task);
/* life_start - when it started, nanoseconds since 1970, to one tick (1/100 s) and as well as the clock was set since; UINT64_MAX: not known */
uint64_t life_start(pid_t pid);

#endif
