/* cmd_run.c - `ldr run`: start one program through ld-ldr.so.
 *
 * Becomes (execve) `ld-ldr.so [--preload L] [--library-path P] [--argv0 A] PROGRAM ARGS`: same process, same
 * descriptors, and the status is the program's own.
 */
#include "host/ldso.h"
#include "host/program.h"
#include "ldr.h"
#include "watch/watch.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct run_options {
    const char *preload;
    const char *library_path;
    const char *argv0;
    const char *watch; /* file for --watch-writes */
    char **program; /* NULL-terminated, into argv */
};

static const struct argp_option options[] = {
    { "preload", 'p', "LIST", 0, "Load the objects of LIST (separated by ':' or blanks) before PROGRAM's own", 0 },
    { "library-path", 'L', "PATH", 0, "Search PATH instead of LD_LIBRARY_PATH", 0 },
    { "argv0", 'a', "NAME", 0, "The program sees NAME as its argv[0] (default: as typed)", 0 },
    { "watch-writes", 'w', "FILE", 0, "Record into FILE which instruction wrote first to each page, for ldr pages --why --writers", 0 },
    { 0 },
};

static error_t parse_option(int key, char *arg, struct argp_state *state) {
    struct run_options *run = state->input;
    switch (key) {
    case 'p': run->preload = arg; return 0;
    case 'L': run->library_path = arg; return 0;
    case 'a': run->argv0 = arg; return 0;
    case 'w': run->watch = arg; return 0;
    case ARGP_KEY_ARG:
        /* From the program on, every word is the program's, options included. */
        run->program = state->argv + state->next - 1;
        state->next = state->argc;
        return 0;
    case ARGP_KEY_NO_ARGS: argp_error(state, "no program named"); return EINVAL;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    options, parse_option, "PROGRAM [ARG...]",
    "Start PROGRAM through ld-ldr.so instead of the system's dynamic linker.\v"
    "PROGRAM is searched in PATH; a script is started through the interpreter of its #! line. "
    "Only PROGRAM itself runs on ld-ldr.so, not what it executes: `ldr session` does that for a whole tree. "
    "Set-user-ID and file capabilities have no effect here, because the kernel executes ld-ldr.so.\n"
    "\n"
    "Exit status: the program's own; 127 not found, 126 found but not executable, 125 ldr's own failure.\n"
    "\n"
    "Examples:\n"
    "  ldr run python3 -c 'import ssl; print(ssl.OPENSSL_VERSION)'\n"
    "  ldr run --library-path /opt/new/lib ./server --port 80\n"
    "  ldr run --argv0 -bash bash          a login shell\n"
    "  ldr run --watch-writes w.txt ./server &  ldr pages --why=libx.so --writers w.txt $!\n",
    NULL, NULL, NULL,
};

static void warn_of_lost_privilege(const char *path) {
    struct stat st;
    if (stat(path, &st) != 0)
        return;
    bool other_user = (st.st_mode & S_ISUID) && st.st_uid != geteuid();
    bool other_group = (st.st_mode & S_ISGID) && (st.st_mode & S_IXGRP) && st.st_gid != getegid();
    if (other_user || other_group)
        warn_ldr("%s is set-%s-ID: it runs here without that privilege", path, other_user ? "user" : "group");
}

int cmd_run(int argc, char **argv) {
    struct run_options run = { 0 };
    argp_err_exit_status = LDR_EXIT_OWN;
    if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &run) != 0)
        return LDR_EXIT_OWN;

    char *path, **args;
    int status = program_resolve(run.program, &path, &args);
    if (status)
        return status;
    char *ldso = find_ldso();
    if (!ldso)
        return LDR_EXIT_OWN;
    warn_of_lost_privilege(path);

    /* --argv0 is for what the user typed; a script's interpreter is named by the #! line, as under execve. */
    const char *argv0 = run.argv0 && args[0] == run.program[0] ? run.argv0 : args[0];
    size_t count = 0;
    while (args[count])
        count++;
    char **command = must_alloc(count + 9, sizeof *command);
    size_t at = 0;
    command[at++] = ldso;
    /* Another linker given by LDR_LDSO need not know this option. */
    const char *name = strrchr(ldso, '/') ? strrchr(ldso, '/') + 1 : ldso;
    if (strcmp(name, "ld-ldr.so") == 0)
        command[at++] = "--proc-exe";
    if (run.preload) {
        command[at++] = "--preload";
        command[at++] = (char *)run.preload;
    }
    if (run.library_path) {
        command[at++] = "--library-path";
        command[at++] = (char *)run.library_path;
    }
    if (strcmp(argv0, path) != 0) {
        command[at++] = "--argv0";
        command[at++] = (char *)argv0;
    }
    command[at++] = path;
    for (size_t i = 1; i < count; i++)
        command[at++] = args[i];
    if (run.watch)
        return watch_run(run.watch, ldso, command);
    execv(ldso, command);
    warn_ldr("%s: cannot be executed: %s", ldso, strerror(errno));
    return LDR_EXIT_OWN;
}
