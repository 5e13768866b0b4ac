/* watch.h - which instruction wrote first to each page of a program: recorded while it runs, read by `ldr pages --why --writers`.
 *
 * The record is text, so that it can be looked at: a first line "ldr-writes 1 PID START", START being the start time in
 * /proc/PID/stat, then a line for each fault: time, address and instruction (hexadecimal), and what is known of it:
 *   w   the program's instruction wrote
 *   k   the kernel wrote for the program, in a system call (the instruction is the kernel's)
 *   f   a fault; whether it was for reading or writing the kernel did not tell
 *   m   something was mapped: address and length; what was there before, and who wrote it, is gone
 *   x   the program executed another: all that was mapped is gone
 */
#ifndef LDR_WATCH_H
#define LDR_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* watch_run - starts PROGRAM with ARGS in a child and records its faults into FILE until it ends
 *   returns the child's exit status, or ends the way it was killed; LDR_EXIT_OWN after a message when it could not be watched */
int watch_run(const char *file, const char *program, char **args);

struct fault { uint64_t time, page, instruction; char kind; }; /* w, k or f */

struct writers {
    pid_t pid;
    struct fault *list; /* of what is mapped now, by page, then time; owned */
    size_t count;
};
/* writers_read - a record of a process that still runs; false after a message */
bool writers_read(const char *file, struct writers *writers);
/* writers_find - who made the page private: the first write; of faults of unknown kind the last, because one that read may precede
 * the one that wrote, and none follows. NULL: nobody, the linker had the kernel make it private in advance. */
const struct fault *writers_find(const struct writers *writers, uint64_t page);
void writers_free(struct writers *writers);

#endif
