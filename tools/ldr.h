/* ldr.h - what every subcommand of the `ldr` command shares: the table entry, exit statuses, messages.
 *
 * Each subcommand is one file cmd_NAME.c with one function of type ldr_command; ldr.c holds the table.
 * A command gets its own name as argv[0] ("ldr pages"), so that argp's help and errors name it.
 */
#ifndef LDR_H
#define LDR_H

#include <stdbool.h>
#include <stddef.h>

#define LDR_VERSION "0.1"

/* Exit statuses of the reporting commands. */
enum ldr_exit {
    LDR_EXIT_OK = 0,        /* complete and exact */
    LDR_EXIT_FAILED = 1,    /* ldr itself failed: no memory, a kernel interface missing */
    LDR_EXIT_USAGE = 2,
    LDR_EXIT_PARTIAL = 3,   /* a report was printed, but something is missing, unstable or only a bound */
    LDR_EXIT_NO_TARGET = 4, /* nothing to report on */
};

/* Exit statuses of the commands that become another program, as env(1) and the shells have them. */
enum ldr_exec_exit {
    LDR_EXIT_OWN = 125,       /* ldr's own failure or usage error: not the program's status */
    LDR_EXIT_NOT_EXEC = 126,  /* found, but cannot be executed */
    LDR_EXIT_NOT_FOUND = 127,
};

typedef int ldr_command(int argc, char **argv);

ldr_command cmd_run, cmd_session, cmd_pages, cmd_trace, cmd_cache;
ldr_command cmd_tree, cmd_check, cmd_why, cmd_relocs, cmd_help;

/* is_command - whether `ldr NAME` is one */
bool is_command(const char *name);

/* name_command - whom messages come from; NAME must live on */
void name_command(const char *name);

/* warn_ldr - one line on stderr, prefixed with the running command's name ("ldr pages: ..."). */
void warn_ldr(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* make_printable - in place: what a terminal or a reader of JSON could stumble over (control characters, bytes that are no UTF-8)
 * becomes '?'. */
void make_printable(char *text);

/* Allocation that cannot fail for the caller: prints what was asked for and exits LDR_EXIT_FAILED. */
void *must_alloc(size_t count, size_t size);
void *must_grow(void *block, size_t count, size_t size);
/* use_huge_heap - for commands that fill much memory at once: of what they allocate the first 64 MiB are huge pages. Where a page fault
 * is dear (under a hypervisor) a report of 100 processes takes a fifth more CPU otherwise (90 ms for 76). Before other threads are. */
void use_huge_heap(void);
/* text_utf8 - a copy in valid UTF-8: each byte that belongs to no character becomes the four characters \xNN; malloc'd */
char *text_utf8(const char *text);
char *must_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
