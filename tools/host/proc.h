/* proc.h - reads what /proc says about one process. Every process is held by a descriptor of its /proc/PID folder, so
 * that a PID given to another process meanwhile is never mistaken for the first: such reads fail with ESRCH. */
#ifndef LDR_HOST_PROC_H
#define LDR_HOST_PROC_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Growing buffer, reused from file to file. */
struct text {
    char *bytes; /* bytes[len] is NUL */
    size_t len, room;
};
void text_free(struct text *text);

/* proc_open - descriptor of /proc/PID, or -errno */
int proc_open(pid_t pid);

/* proc_read - whole file NAME of the process; 0 or -errno */
int proc_read(int proc, const char *name, struct text *text);

/* proc_pids - every PID, ascending; malloc'd, *count set */
pid_t *proc_pids(size_t *count);

/* proc_open_memory - descriptor of the folder of a task that has the process's memory: the process itself, or, when its first
 * thread has ended and others go on, /proc/TID of one of these.
 *   out     task   PID or TID of that task, for calls that take a number
 *   returns -ENOENT for kernel threads and for processes that have ended and only wait to be reaped; another -errno */
int proc_open_memory(pid_t pid, pid_t *task);

/* proc_error_is_end - does this -errno of a call above mean that the process is there no more? */
static inline bool proc_error_is_end(int error) { return error == -ENOENT || error == -ESRCH; }

/* proc_parent - PID of its parent, 0 if it has none or is gone */
pid_t proc_parent(int proc);

/* proc_user - its real user ID; 0 or -errno */
int proc_user(int proc, uid_t *user);

/* What the kernel itself counts for a process. */
struct proc_facts {
    uint64_t rss_pages, swap_pages;      /* VmRSS and VmSwap: all mappings */
    uint64_t page_table_kib;             /* VmPTE: the memory of its page tables */
    uint64_t minor_faults, major_faults; /* of all threads, ended ones too */
};

/* proc_facts_read - from status and stat, which everybody may read; 0 or -errno, then FACTS is zero */
int proc_facts_read(int proc, struct text *text, struct proc_facts *facts);

/* One line of maps; path points into the text and is NUL-terminated, unescaped, "" if none. */
struct map_line {
    uint64_t start, end, off, dev, ino;
    uint32_t access; /* ACCESS_* of pages.h */
    bool private;
    char *path;
};

/* map_next - parses the line at *cursor (a maps file read by proc_read; the text is cut in place) and moves on;
 * false at the end */
bool map_next(char **cursor, struct map_line *line);

/* proc_name - what a person calls the process: malloc'd, the last part of the program's path. Under a linker started as a
 * command (executable LINKER_DEV/INO) it is the program that the linker was given. */
char *proc_name(int proc, uint64_t linker_dev, uint64_t linker_ino);

/* proc_is_called - is NAME the process's comm, or the last part of its program or argv[0]? With a slash it is a path: of the file that the
 * process executes, or argv[0] as it stands there. */
bool proc_is_called(int proc, const char *name, uint64_t linker_dev, uint64_t linker_ino);

/* same_memory - do both processes have one address space? 1 yes, 0 no, -errno if the kernel does not tell (no kcmp, no
 * permission, gone). ORDER, if not NULL, gets -1 or 1 when different: the kernel's own total order. */
int same_memory(pid_t a, pid_t b, int *order);

#endif
