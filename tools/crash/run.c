/* run.c - `ldr run --crash-report`: this process becomes the program; a grandchild of it watches.
 *
 * So the program keeps the process id, the parent, the terminal and the end that it has without the option: its status, its core file
 * and the flag that tells of one need not be imitated. The watcher is no child of the program (a wait for any child would meet it), is in a
 * session of its own (signals of the terminal are the program's) and holds no descriptor but standard error. The kernel tells the
 * program's parent of its end only when the watcher has seen it, so the report is written before a shell prompts again. */
#include "crash.h"
#include "../host/watch.h"
#include "../ldr.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REPORT_SECONDS = 120 };

struct reporter {
    struct crash_watch *watch;
    const char *text, *json;          /* as given to crash_run; the watcher stays in the folder of the start */
};

static void at_signal(pid_t pid, pid_t thread, int number, void *arg) {
    const struct reporter *reporter = arg;
    /* A report that takes too long ends the watcher, not the program: the kernel lets it go on to its signal. */
    alarm(REPORT_SECONDS);
    crash_signal_stop(pid, thread, number, reporter->watch);
    alarm(0);
}

static void at_end(pid_t pid, int status, void *arg) {
    const struct reporter *reporter = arg;
    (void)pid;
    crash_write(reporter->watch, status, reporter->text, reporter->json);
}

static void only_standard_error(int kept) {
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; null >= 0 && fd <= STDERR_FILENO; fd++)
        if (fd < STDERR_FILENO || (fcntl(fd, F_GETFD) < 0 && fd != null))
            dup2(null, fd);
    if (kept > 3)
        syscall(SYS_close_range, 3u, (unsigned)kept - 1, 0u);
    syscall(SYS_close_range, (unsigned)kept + 1, ~0u, 0u);
}

struct message { pid_t watcher; int error; };

/* `talk`: a socket to the program-to-be. When it is refused it is asked for permission, and once more tried. */
static _Noreturn void be_watcher(pid_t pid, int talk, const struct reporter *reporter) {
    const struct watch watch = { .signal = at_signal, .ended = at_end, .arg = (void *)reporter };
    struct message message = { .watcher = getpid() };
    char byte;
    only_standard_error(talk);
    for (int tries = 0; tries < 2; tries++) {
        message.error = watch_seize(pid, &watch);
        if (write(talk, &message, sizeof message) != sizeof message)
            _exit(LDR_EXIT_OWN);
        if (!message.error)
            break;
        if (tries || read(talk, &byte, 1) != 1)
            _exit(LDR_EXIT_OWN);
    }
    close(talk);
    signal(SIGPIPE, SIG_IGN);
    watch_wait(pid, true, &watch);
    _exit(0);
}

/* A socket pair that takes none of the three standard descriptors, should they be closed. */
static bool pair_above(int ends[2]) {
    int low[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, low) != 0)
        return false;
    for (int i = 0; i < 2; i++) {
        ends[i] = fcntl(low[i], F_DUPFD_CLOEXEC, 3);
        close(low[i]);
    }
    return ends[0] >= 0 && ends[1] >= 0;
}

int crash_run(const char *text, const char *json, const struct crash_start *start, const char *program, char **args) {
    struct reporter reporter = { crash_watch_new(start), text, json };
    struct message message = { .error = ECHILD };
    int ends[2];
    pid_t pid = getpid();
    if (!pair_above(ends)) {
        warn_ldr("socketpair: %s", strerror(errno));
        return LDR_EXIT_OWN;
    }
    /* Without an end signal: a SIGCHLD would still be pending in the program if that is blocked. As process 1 of its namespace the program
     * would inherit the watcher as its child. */
    pid_t middle = pid == 1 ? -1 : (pid_t)syscall(SYS_clone, 0ul, 0ul, 0ul, 0ul, 0ul);
    if (middle == 0) {
        setsid();
        close(ends[0]);
        if (fork() == 0)
            be_watcher(pid, ends[1], &reporter);
        _exit(0);
    }
    if (middle < 0 && pid != 1)
        message.error = errno;
    close(ends[1]);
    while (middle > 0 && waitpid(middle, NULL, __WALL) < 0 && errno == EINTR)
        ;
    if (middle > 0 && read(ends[0], &message, sizeof message) != sizeof message)
        message.error = ECHILD;
    if (message.error && message.watcher) {
        /* where only descendants may be traced (Yama), this one is allowed to; forgotten again before the program starts */
        prctl(PR_SET_PTRACER, (unsigned long)message.watcher, 0, 0, 0);
        if (write(ends[0], "", 1) != 1 || read(ends[0], &message, sizeof message) != sizeof message)
            message.error = ECHILD;
        prctl(PR_SET_PTRACER, 0, 0, 0, 0);
    }
    close(ends[0]);
    if (message.error)
        warn_ldr("no crash report, the program cannot be watched: %s", pid == 1 ? "it is process 1" : strerror(message.error));
    execv(program, args);
    warn_ldr("%s: cannot be executed: %s", program, strerror(errno));
    return LDR_EXIT_OWN;
}
