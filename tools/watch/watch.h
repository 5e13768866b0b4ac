/* watch.h - which instruction wrote first to each page of a program: recorded while it runs, read by `ldr pages --why --writers`.
 *
 * The record is text, so that it can be looked at: a first line "ldr-writes 1 PID START SEEN", START being the start time in
 * /proc/PID/stat and SEEN what the kernel lets be seen (watch_seen_name); then a line for each fault: time, address and instruction
 * (hexadecimal), and what is known of it:
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

enum watch_seen {
    SEEN_USER_FAULTS, /* the program's own faults; not those of the kernel, which writes for it in system calls */
    SEEN_FAULTS,      /* these too */
    SEEN_WRITES,      /* and which of them were for writing */
};
/* watch_seen_name - "user-faults", "faults", "writes" */
const char *watch_seen_name(enum watch_seen seen);

/* watch_run - starts PROGRAM with ARGS in a child and records its faults into FILE until it ends
 *   returns the child's exit status, or ends the way it was killed; LDR_EXIT_OWN after a message when it could not be watched */
int watch_run(const char *file, const char *program, char **args);

struct fault { uint64_t time, page, instruction; char kind; }; /* w, k or f */

struct writers {
    pid_t pid;
    enum watch_seen seen;
    struct fault *list; /* of what is mapped now, by page, then time; owned */
    size_t count;
};
/* writers_read - a record of a process that still runs; false after a message */
bool writers_read(const char *file, struct writers *writers);
/* writers_find - who made the page private: the first write; of faults of unknown kind the last, because one that read may precede
 * the one that wrote, and none follows. NULL: nobody that was seen. From SEEN_FAULTS on that is nobody: the linker had the kernel make it
 * private in advance. */
const struct fault *writers_find(const struct writers *writers, uint64_t page);
void writers_free(struct writers *writers);

#endif
