/* program.h - from the words a user typed to the ELF file that execve would start, and its argument vector. */
#ifndef LDR_HOST_PROGRAM_H
#define LDR_HOST_PROGRAM_H

/* The kernel rewrites a command at most this often for nested scripts before it says ELOOP
 * (fs/exec.c, exec_binprm; Linux 6.18 starts a chain of five scripts and refuses six). */
enum { PROGRAM_SCRIPTS_MAX = 5 };

/* program_resolve - find argv[0] as the shell does and follow #! lines as execve does.
 *   in      argv      NULL-terminated, argv[0] as typed
 *   out     path      malloc'd path of the ELF file, always with a slash and never starting with '-'
 *           args      malloc'd NULL-terminated vector for that file; args[0] is what the program must see as argv[0]
 *   returns 0; LDR_EXIT_NOT_FOUND or LDR_EXIT_NOT_EXEC after one message saying which file, and why */
int program_resolve(char **argv, char **path, char ***args);

/* program_behind - the ELF file that execve starts for `path`: itself, or the interpreter at the end of its #! lines. Relative ones are relative to
 * the folder `dir` (AT_FDCWD). Says nothing. Malloc'd; NULL: execve would refuse it, or it cannot be read. */
char *program_behind(int dir, const char *path);

/* program_find - the search of argv[0] alone; *path malloc'd. Same statuses and messages. */
int program_find(const char *name, char **path);

#endif
