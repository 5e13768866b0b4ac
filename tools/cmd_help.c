/* cmd_help.c - `ldr help [COMMAND]`: the manual page, by man(1), from beside this very binary where it is there (a build, an installation of
 * its own), else from where man looks. Without man the command's --help is shown. */
#include "ldr.h"

#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct argp_option options[] = { { 0 } };

static error_t parse_option(int key, char *arg, struct argp_state *state) {
    const char **command = state->input;
    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    if (*command)
        argp_error(state, "one command at a time; after '%s' came '%s'", *command, arg);
    *command = arg;
    return 0;
}

static const struct argp argp = {
    options, parse_option, "[COMMAND]",
    "Show the manual page of COMMAND, or that of ldr, which has one line for each of them.\v"
    "COMMAND is the word behind ldr, or ld-ldr.so. Where there is no man, what `ldr COMMAND --help` prints is shown.\n"
    "\n"
    "Exit status: man's; 1 ldr failed, 2 usage, 4 no such command.\n"
    "\n"
    "Examples:\n"
    "  ldr help\n"
    "  ldr help check\n"
    "  ldr help ld-ldr.so\n",
    NULL, NULL, NULL,
};

/* The page as a file: beside the sources of a build, or below the prefix this binary lies in. NULL: neither. */
static char *page_file(const char *page, int section) {
    char exe[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", exe, sizeof exe - 1);
    char *slash = len > 0 ? (exe[len] = '\0', strrchr(exe, '/')) : NULL;
    if (!slash)
        return NULL;
    *slash = '\0';
    for (int installed = 0; installed < 2; installed++) {
        char *path = installed ? must_format("%s/../share/man/man%d/%s.%d", exe, section, page, section) : must_format("%s/../tools/%s.%d", exe, page, section);
        char *full = realpath(path, NULL);
        free(path);
        if (full)
            return full;
    }
    return NULL;
}

int cmd_help(int argc, char **argv) {
    const char *command = NULL;
    argp_err_exit_status = LDR_EXIT_USAGE;
    if (argp_parse(&argp, argc, argv, 0, NULL, &command) != 0)
        return LDR_EXIT_USAGE;
    bool linker = command && strcmp(command, "ld-ldr.so") == 0;
    if (command && !linker && !is_command(command)) {
        warn_ldr("no command '%s'; ldr --help lists them", command);
        return LDR_EXIT_NO_TARGET;
    }
    char *page = linker || !command ? must_format("%s", linker ? "ld-ldr.so" : "ldr") : must_format("ldr-%s", command);
    char *file = strcmp(page, "ldr-help") == 0 ? NULL : page_file(page, linker ? 8 : 1);
    if (file)
        execlp("man", "man", file, (char *)NULL);
    else if (strcmp(page, "ldr-help") != 0)
        execlp("man", "man", linker ? "8" : "1", page, (char *)NULL);
    int err = errno;
    free(page);
    free(file);
    if (linker) {
        warn_ldr("man: %s; ld-ldr.so --help tells its options", strerror(err));
        return LDR_EXIT_FAILED;
    }
    if (command)
        execl("/proc/self/exe", "ldr", command, "--help", (char *)NULL);
    else
        execl("/proc/self/exe", "ldr", "--help", (char *)NULL);
    warn_ldr("%s", strerror(errno));
    return LDR_EXIT_FAILED;
}
