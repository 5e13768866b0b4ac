/* once.c - run one program with a clean environment and a time limit, everything it prints into one file.
 *
 *   once SECONDS DIR OUT UID [VAR=VALUE...] PROGRAM [ARGS]
 *
 * Linked statically on purpose: inside the namespace every dynamic program runs under the linker being tested,
 * and LD_PRELOAD, LD_LIBRARY_PATH and their like must reach the program only, never the tools around it.
 * The last line of OUT is the status: "exit N", "signal N" or "timeout". Whatever the program left running in
 * its process group is killed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t child;
static volatile sig_atomic_t late;

static void on_alarm(int signo)
{
    (void)signo;
    late = 1;
    kill(-child, SIGKILL);
}

int main(int argc, char **argv)
{
    if (argc < 6) {
        fprintf(stderr, "usage: once SECONDS DIR OUT UID [VAR=VALUE...] PROGRAM [ARGS]\n");
        return 2;
    }
    int out = open(argv[3], O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
    if (out < 0 || chdir(argv[2]) != 0) {
        fprintf(stderr, "once: %s or %s: %s\n", argv[2], argv[3], strerror(errno));
        return 2;
    }
    /* The one thing of ours that is handed on: whether, and where, starts are remembered. */
    const char *cache = getenv("LDR_CACHE"), *cache_dir = getenv("LDR_CACHE_DIR");
    char keep[2][4200];
    snprintf(keep[0], sizeof keep[0], "LDR_CACHE=%s", cache ? cache : "");
    snprintf(keep[1], sizeof keep[1], "LDR_CACHE_DIR=%s", cache_dir ? cache_dir : "");
    clearenv();
    if (cache)
        putenv(keep[0]);
    if (cache_dir)
        putenv(keep[1]);
    putenv("PATH=/usr/bin:/bin");
    putenv("HOME=/");
    putenv("LC_ALL=C");
    int at = 5;
    for (; at < argc && strchr(argv[at], '=') && argv[at][0] != '/' && argv[at][0] != '.'; at++)
        putenv(argv[at]);
    unsigned uid = (unsigned)atoi(argv[4]);

    child = fork();
    if (child == 0) {
        struct rlimit none = { 0, 0 };
        setrlimit(RLIMIT_CORE, &none);
        setpgid(0, 0);
        int null = open("/dev/null", O_RDONLY);
        dup2(null, 0);
        dup2(out, 1);
        dup2(out, 2);
        close_range(3, ~0u, 0); /* the program counts its descriptors: none of ours */
        umask(022);
        if (uid != 0 && (setgroups(0, NULL) != 0 || setgid(uid) != 0 || setuid(uid) != 0))
            _exit(126);
        /* A run under nohup or in a shell's background hands ignored signals on: the program shall see the ordinary state. */
        for (int number = 1; number < NSIG; number++)
            signal(number, SIG_DFL);
        sigset_t unblocked;
        sigemptyset(&unblocked);
        sigprocmask(SIG_SETMASK, &unblocked, NULL);
        execvp(argv[at], argv + at);
        dprintf(2, "once: %s: %s\n", argv[at], strerror(errno));
        _exit(127);
    }
    setpgid(child, child);
    struct sigaction act = { .sa_handler = on_alarm };
    sigaction(SIGALRM, &act, NULL);
    alarm((unsigned)atoi(argv[1]));
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    kill(-child, SIGKILL);
    if (late)
        dprintf(out, "timeout\n");
    else if (WIFSIGNALED(status))
        dprintf(out, "signal %d\n", WTERMSIG(status));
    else
        dprintf(out, "exit %d\n", WEXITSTATUS(status));
    return 0;
}
