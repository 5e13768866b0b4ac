/* program.c - PATH search and #! lines, with the kernel's and the shell's rules.
 *
 * ld-ldr.so is given an ELF file, so what execve does for scripts has to be done before it: the first line names
 * an interpreter and at most one argument, argv[0] is replaced by them and by the script's path (execve(2), "Interpreter
 * scripts"; fs/binfmt_script.c for the white space and the 256-byte limit).
 */
#include "program.h"
#include "../ldr.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_LINE_MAX = 256 }; /* BINPRM_BUF_SIZE */

/* 0 when execve would at least try it, else the errno it would give. */
static int check_executable(const char *path) {
    struct stat st;
    if (stat(path, &st) != 0)
        return errno;
    if (S_ISDIR(st.st_mode))
        return EISDIR;
    if (!S_ISREG(st.st_mode))
        return EACCES;
    return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

static int status_of(int error) {
    return error == ENOENT || error == ENOTDIR ? LDR_EXIT_NOT_FOUND : LDR_EXIT_NOT_EXEC;
}

/* A PATH search goes on past a file that may not be executed, but that failure is the one reported (execvp(3)). */
int program_find(const char *name, char **path) {
    if (strchr(name, '/')) {
        int error = check_executable(name);
        if (error) {
            warn_ldr("%s: %s", name, strerror(error));
            return status_of(error);
        }
        /* The linker would read a leading '-' as one of its own options. */
        *path = must_format("%s%s", name[0] == '-' ? "./" : "", name);
        return 0;
    }
    const char *search = getenv("PATH");
    if (!search)
        search = "/bin:/usr/bin"; /* confstr(_CS_PATH), as execvp */
    int refused = 0;
    char *refused_path = NULL;
    for (const char *at = search; *name; ) {
        size_t length = strcspn(at, ":");
        char *candidate = length ? must_format("%s%.*s/%s", *at == '-' ? "./" : "", (int)length, at, name)
                                 : must_format("./%s", name);
        int error = check_executable(candidate);
        if (error == 0) {
            free(refused_path);
            *path = candidate;
            return 0;
        }
        /* Only a file that is there counts as refused: folders of PATH that this user may not search are passed over. */
        if (error != EISDIR && !refused && access(candidate, F_OK) == 0) {
            refused = error;
            refused_path = candidate;
        } else {
            free(candidate);
        }
        at += length;
        if (!*at++)
            break;
    }
    if (refused) {
        warn_ldr("%s: %s", refused_path, strerror(refused));
        free(refused_path);
        return LDR_EXIT_NOT_EXEC;
    }
    warn_ldr("%s: not found in PATH (%s)", name, search);
    return LDR_EXIT_NOT_FOUND;
}

enum file_type { FILE_ELF, FILE_SCRIPT, FILE_UNKNOWN };

static enum file_type read_first_line(int dir, const char *path, char line[FIRST_LINE_MAX + 1], int *error) {
    *error = 0;
    memset(line, 0, FIRST_LINE_MAX + 1);
    int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        /* Executable but not readable: the kernel can map it, a linker in user space cannot. */
        *error = errno;
        return FILE_UNKNOWN;
    }
    ssize_t length = read(fd, line, FIRST_LINE_MAX);
    if (length < 0)
        *error = errno;
    close(fd);
    if (length >= SELFMAG && memcmp(line, ELFMAG, SELFMAG) == 0)
        return FILE_ELF;
    return length >= 2 && line[0] == '#' && line[1] == '!' ? FILE_SCRIPT : FILE_UNKNOWN;
}

/* Cuts LINE in place; *interpreter and *argument (NULL if none) point into it. False when execve would say ENOEXEC. */
static bool split_script_line(char *line, char **interpreter, char **argument) {
    char *end = memchr(line, '\n', FIRST_LINE_MAX);
    char *start = line + 2 + strspn(line + 2, " \t");
    if (!end) {
        /* No end of line in the buffer: the kernel takes a cut-off argument (its last byte lost), but no cut-off name. */
        size_t length = strnlen(line, FIRST_LINE_MAX);
        if (length == FIRST_LINE_MAX && !start[strcspn(start, " \t")])
            return false;
        end = line + (length < FIRST_LINE_MAX ? length : FIRST_LINE_MAX - 1);
    }
    while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *end = '\0';
    if (start >= end)
        return false;
    *interpreter = start;
    *argument = NULL;
    char *space = start + strcspn(start, " \t");
    if (*space) {
        *space = '\0';
        *argument = space + 1 + strspn(space + 1, " \t");
    }
    return true;
}

/* args becomes: interpreter, [argument], script, args[1]... */
static char **rewrite_args(char **args, const char *interpreter, const char *argument, const char *script) {
    size_t count = 0;
    while (args[count])
        count++;
    char **longer = must_alloc(count + 3, sizeof *longer);
    size_t at = 0;
    longer[at++] = must_format("%s", interpreter);
    if (argument)
        longer[at++] = must_format("%s", argument);
    longer[at++] = must_format("%s", script);
    for (size_t i = 1; i < count; i++)
        longer[at++] = args[i];
    free(args);
    return longer;
}

/* No PATH search here: a bare name in a #! line is relative to the current folder, as execve has it. */
static char *interpreter_path(const char *interpreter) {
    return must_format("%s%s", strchr(interpreter, '/') ? (*interpreter == '-' ? "./" : "") : "./", interpreter);
}

int program_resolve(char **argv, char **path, char ***args) {
    size_t count = 0;
    while (argv[count])
        count++;
    char **vector = must_alloc(count + 1, sizeof *vector);
    memcpy(vector, argv, count * sizeof *argv);

    char *file;
    int status = program_find(argv[0], &file);
    if (status) {
        free(vector);
        return status;
    }
    for (int scripts = 0;; scripts++) {
        char line[FIRST_LINE_MAX + 1], *interpreter, *argument;
        int error;
        status = LDR_EXIT_NOT_EXEC;
        switch (read_first_line(AT_FDCWD, file, line, &error)) {
        case FILE_ELF:
            *path = file;
            *args = vector;
            return 0;
        case FILE_UNKNOWN:
            if (error)
                warn_ldr("%s: cannot be read: %s", file, strerror(error));
            else
                warn_ldr("%s: neither an ELF program nor a script with a #! line: %s", file, strerror(ENOEXEC));
            goto fail;
        case FILE_SCRIPT:
            break;
        }
        if (scripts == PROGRAM_SCRIPTS_MAX) {
            warn_ldr("%s: more than %d scripts that name each other as interpreter: %s", argv[0], PROGRAM_SCRIPTS_MAX,
                     strerror(ELOOP));
            goto fail;
        }
        if (!split_script_line(line, &interpreter, &argument)) {
            warn_ldr("%s: its #! line names no interpreter, or one longer than %d bytes: %s", file, FIRST_LINE_MAX,
                     strerror(ENOEXEC));
            goto fail;
        }
        error = check_executable(interpreter);
        if (error) {
            warn_ldr("%s: its #! line names the interpreter %s: %s", file, interpreter, strerror(error));
            status = status_of(error);
            goto fail;
        }
        vector = rewrite_args(vector, interpreter, argument, file);
        free(file);
        file = interpreter_path(interpreter);
    }
fail:
    free(file);
    free(vector);
    return status;
}

char *program_behind(int dir, const char *path) {
    char line[FIRST_LINE_MAX + 1], *interpreter, *argument, *file = must_format("%s", path);
    int error;
    enum file_type type = FILE_UNKNOWN;
    for (int scripts = 0; scripts <= PROGRAM_SCRIPTS_MAX; scripts++) {
        type = read_first_line(dir, file, line, &error);
        if (type != FILE_SCRIPT || !split_script_line(line, &interpreter, &argument))
            break;
        free(file);
        file = interpreter_path(interpreter);
    }
    if (type == FILE_ELF)
        return file;
    free(file);
    return NULL;
}
