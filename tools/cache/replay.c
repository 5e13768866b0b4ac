/* replay.c - starts programs as a record's key describes it, and takes the linker's answer. */
#include "replay.h"
#include "../host/program.h"
#include "../ldr.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { SECONDS_MOST = 60, ANSWER_MOST = 4000, OPTIONS_MOST = 16 };

extern char **environ;

bool replay_by_kernel(const struct cache_dir *store, int dir, const char *path, char **why) {
    struct stat st;
    struct bytes notes = { 0 };
    char *behind = program_behind(dir, path);
    if (behind)
        path = behind;
    int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0) {
        *why = must_format("%s: %s", path, strerror(errno));
    } else if (store->kind == STORE_USER && (st.st_mode & (S_ISUID | S_ISGID) || fgetxattr(fd, "security.capability", NULL, 0) > 0)) {
        *why = must_format("%s gains privileges when executed: such a start uses no cache", path);
    } else {
        char *link = must_format("/proc/self/fd/%d", fd), *interpreter = program_interpreter(link);
        if (!interpreter)
            *why = must_format("%s names no interpreter", path);
        else if (!loader_notes(interpreter, &notes) || !store->loader_notes.at || notes.len != store->loader_notes.len ||
                 memcmp(notes.at, store->loader_notes.at, notes.len) != 0)
            *why = must_format("its interpreter here is %s, which is not this build of ld-ldr.so (in `ldr session` it may be)", interpreter);
        free(link);
        free(interpreter);
    }
    if (fd >= 0)
        close(fd);
    free(notes.at);
    free(behind);
    return !*why;
}

/* ---- the command line and environment -------------------------------------------------------------------------------- */

static const char *variable(const struct start_key *key, const char *name) {
    size_t len = strlen(name);
    for (size_t i = 0; i < key->env_count; i++)
        if (strncmp(key->env[i], name, len) == 0 && key->env[i][len] == '=')
            return key->env[i] + len + 1;
    return NULL;
}

/* A setting that did not come from the environment came by option. */
static void add_option(char **argv, size_t *at, const char *option, const struct start_key *key, enum key_text text, const char *name) {
    const char *in_env = name ? variable(key, name) : NULL;
    if (!key->text[text] || (in_env && strcmp(in_env, key->text[text]) == 0))
        return;
    argv[(*at)++] = (char *)option;
    argv[(*at)++] = key->text[text];
}

static char **make_arguments(const struct cache_dir *store, const struct start_key *key) {
    char **argv = must_alloc(OPTIONS_MOST, sizeof *argv);
    size_t at = 0;
    if (key->head.way) {              /* START_COMMAND */
        argv[at++] = store->loader;
        if (key->head.origin_by_file)
            argv[at++] = (char *)"--proc-exe";
        if (key->head.inhibit_cache)
            argv[at++] = (char *)"--inhibit-cache";
        add_option(argv, &at, "--library-path", key, KEY_LIBRARY_PATH, "LD_LIBRARY_PATH");
        add_option(argv, &at, "--preload", key, KEY_PRELOAD_OPTION, NULL);
        add_option(argv, &at, "--inhibit-rpath", key, KEY_INHIBIT_RPATH, NULL);
        add_option(argv, &at, "--glibc-hwcaps-prepend", key, KEY_HWCAPS_PREPEND, NULL);
        add_option(argv, &at, "--glibc-hwcaps-mask", key, KEY_HWCAPS_MASK, NULL);
    }
    argv[at++] = key->text[KEY_PATH];
    return argv;
}

static bool begins(const char *entry, const char *prefix) { return strncmp(entry, prefix, strlen(prefix)) == 0; }

/* The caller's environment; what belongs to the key is replaced by the key's, in its order. Without a key's (`notes` NULL) it stays, but for
 * the system's stores: what everybody shall use is made with none of it. */
static char **make_environment(const struct cache_dir *store, const struct start_key *key, const char *how) {
    size_t count = 0, at = 0;
    while (environ[count])
        count++;
    char **env = must_alloc(count + key->env_count + 5, sizeof *env);
    for (size_t i = 0; i < count; i++) {
        bool keyed = begins(environ[i], "LD_") || begins(environ[i], "GLIBC_TUNABLES=") || begins(environ[i], "MALLOC_") ||
                     begins(environ[i], "LDR_GENUINE_LDSO=");
        if (!begins(environ[i], "LDR_CACHE=") && !begins(environ[i], "LDR_CACHE_DIR=") && !(keyed && (key->notes || store->kind != STORE_USER)))
            env[at++] = environ[i];
    }
    for (size_t i = 0; i < key->env_count; i++)
        env[at++] = key->env[i];
    if (key->text[KEY_GENUINE_LINKER])
        env[at++] = must_format("LDR_GENUINE_LDSO=%s", key->text[KEY_GENUINE_LINKER]);
    env[at++] = must_format("LDR_CACHE=%s%s", store->kind == STORE_SYSTEM ? "system-" : store->kind == STORE_SECURE ? "secure-" : "", how);
    env[at++] = must_format("LDR_CACHE_DIR=%s", store->path);
    return env;
}

/* ---- one process ----------------------------------------------------------------------------------------------------- */

static _Noreturn void become(const struct cache_dir *store, const struct start_key *key, int answer, char **argv, char **env) {
    int null = open("/dev/null", O_RDWR);
    /* A set-user-ID program is then executed as any other: it obeys LDR_CACHE and ends before it begins. Nothing may go on without that. */
    if (store->kind != STORE_USER && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        _exit(1);
    if (key->text[KEY_DIR] && chdir(key->text[KEY_DIR]) != 0)
        dprintf(answer, "%s: %s\n", key->text[KEY_DIR], strerror(errno));
    else if (null >= 0 && dup2(null, 0) == 0 && dup2(null, 1) == 1 && dup2(answer, 2) == 2) {
        execve(key->head.way ? store->loader : key->text[KEY_PATH], argv, env);
        dprintf(answer, "cannot be executed: %s\n", strerror(errno));
    }
    _exit(1);
}

/* What the process says until it ends; false: it took too long and was killed. */
static bool take_answer(int fd, char answer[ANSWER_MOST + 1]) {
    size_t len = 0;
    char rest[512];
    for (;;) {
        struct pollfd wait = { .fd = fd, .events = POLLIN };
        int ready = poll(&wait, 1, SECONDS_MOST * 1000);
        if (ready < 0 && errno == EINTR)
            continue;
        bool full = len == ANSWER_MOST;
        ssize_t got = ready > 0 ? read(fd, full ? rest : answer + len, full ? sizeof rest : ANSWER_MOST - len) : -1;
        if (!full && got > 0)
            len += (size_t)got;
        if (got <= 0) {
            answer[len] = 0;
            return got == 0;
        }
    }
}

/* The linker's first line without the words that stand before every message of a start. */
static char *first_line(char *answer) {
    char *end = strchr(answer, '\n'), *at = strstr(answer, "error while loading shared libraries: ");
    if (end)
        *end = 0;
    at = at && (!end || at < end) ? at + strlen("error while loading shared libraries: ") : answer;
    return must_format("%s", *at ? at : "it ended without a word");
}

enum replay replay_start(const struct cache_dir *store, const struct start_key *key, const char *how, char **why) {
    int ends[2];
    char answer[ANSWER_MOST + 1];
    *why = NULL;
    if (!store->loader) {
        *why = must_format("no ld-ldr.so (LDR_LDSO)");
        return REPLAY_CANNOT;
    }
    int dir = key->text[KEY_DIR] ? open(key->text[KEY_DIR], O_PATH | O_DIRECTORY | O_CLOEXEC) : AT_FDCWD;
    bool may = key->head.way || replay_by_kernel(store, dir, key->text[KEY_PATH], why);
    if (dir >= 0)
        close(dir);
    if (!may)
        return REPLAY_CANNOT;
    char **argv = make_arguments(store, key), **env = make_environment(store, key, how);
    pid_t child = pipe2(ends, O_CLOEXEC) == 0 ? fork() : -1;
    if (child < 0) {
        *why = must_format("no process: %s", strerror(errno));
        return REPLAY_CANNOT;
    }
    if (child == 0)
        become(store, key, ends[1], argv, env);
    close(ends[1]);
    bool ended = take_answer(ends[0], answer);
    close(ends[0]);
    if (!ended)
        kill(child, SIGKILL);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    free(argv);
    free(env);
    if (ended && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return REPLAY_DONE;
    if (!ended)
        *why = must_format("no answer within %d seconds", SECONDS_MOST);
    else if (WIFSIGNALED(status))
        *why = must_format("ended by signal %d", WTERMSIG(status));
    else
        *why = first_line(answer);
    return ended && WIFEXITED(status) && WEXITSTATUS(status) == 1 ? REPLAY_CANNOT : REPLAY_DIFFERS;
}
