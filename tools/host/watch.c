/* watch.c - ptrace(2) for its exit event only. PTRACE_SEIZE does not stop the child and adds no SIGTRAP at execve; a signal that comes is a
 * stop in which it must be handed on, a job-control stop must be left standing (PTRACE_LISTEN). */
#include "watch.h"

#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

bool watch_child(pid_t child, int go, void (*look)(pid_t child, void *arg), void *arg, int *status) {
    bool seized = ptrace(PTRACE_SEIZE, child, 0, PTRACE_O_TRACEEXIT) == 0, looked = false;
    if (write(go, "", 1) != 1)
        kill(child, SIGKILL);
    close(go);
    for (;;) {
        pid_t got = waitpid(child, status, __WALL);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || !WIFSTOPPED(*status))
            return looked;
        int event = *status >> 16, sig = WSTOPSIG(*status);
        if (!seized)
            continue;
        if (event == PTRACE_EVENT_EXIT) {
            look(child, arg);
            looked = true;
            ptrace(PTRACE_CONT, child, 0, 0);
        } else if (event == PTRACE_EVENT_STOP && (sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU)) {
            ptrace(PTRACE_LISTEN, child, 0, 0);
        } else {
            ptrace(PTRACE_CONT, child, 0, event ? 0 : sig);
        }
    }
}
