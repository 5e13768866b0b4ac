/* watch.c - ptrace(2) for few events. PTRACE_SEIZE does not stop the process and adds no SIGTRAP at execve; a signal that comes is a
 * stop in which it must be handed on, a job-control stop must be left standing (PTRACE_LISTEN). */
#include "life.h"
#include "newcomers.h"
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* never PTRACE_O_EXITKILL: the program outlives its watcher */
static unsigned long options_of(const struct watch *watch) {
    return (watch->look ? PTRACE_O_TRACEEXIT : 0) | (watch->signal ? PTRACE_O_TRACECLONE : 0);
}

int watch_seize(pid_t pid, const struct watch *watch) {
    return ptrace(PTRACE_SEIZE, pid, 0, options_of(watch)) == 0 ? 0 : errno;
}

/* clone(2) with a signal other than SIGCHLD makes a process of its own that the kernel takes for a thread here. */
static bool is_thread_of(pid_t thread, pid_t pid) {
    return syscall(SYS_tgkill, pid, thread, 0) == 0;
}

/* What watching one process has come to. */
struct progress {
    bool looked, left_some, told;     /* told: `ended` was called */
    bool untold;                      /* some threads are not told of at their start */
    int killed;                       /* the status of a thread that ended with the whole process, killed; 0: none was seen */
    int process;                      /* pidfd: its number may be another's when nobody of it is watched any more; 0: none is to be had */
    unsigned clones;
    struct allowance signals;
    struct newcomers newcomers;
};

/* Where many threads are made: from one CPU to another each stop costs two wake-ups of a CPU that sleeps, on the same CPU two switches. */
static void go_where(pid_t thread, struct progress *progress) {
    enum { EVERY = 16 };
    cpu_set_t there, allowed;
    uint64_t cpu;
    if (++progress->clones % EVERY || (cpu = life_number(thread, LIFE_CPU)) >= CPU_SETSIZE || sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return;
    CPU_ZERO(&there);
    CPU_SET((size_t)cpu, &there);
    /* It goes there and may go away again: a thread with real-time priority may take that CPU for itself. */
    if (sched_setaffinity(0, sizeof there, &there) == 0)
        sched_setaffinity(0, sizeof allowed, &allowed);
}

/* `thread` stands: the threads that it makes are not told of. */
static void leave_untold(pid_t thread, const struct watch *watch) {
    ptrace(PTRACE_SETOPTIONS, thread, 0, options_of(watch) & ~(unsigned long)PTRACE_O_TRACECLONE);
}

/* `thread` has made another one and stands. */
static void follow(pid_t thread, const struct watch *watch, struct progress *progress) {
    go_where(thread, progress);
    if (newcomers_told(&progress->newcomers))
        return;
    leave_untold(thread, watch);
    if (!progress->untold && watch->unseen)
        watch->unseen(UNSEEN_YOUNG, watch->arg);
    progress->untold = true;
}

/* Who may not look into it any more (it has changed its user, say) may not seize it again either. */
static bool can_seize_again(pid_t thread) {
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/mem", (int)thread);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* The thread takes more signals than watching may cost: it goes its way, and is looked for like a new one. */
static void leave_alone(pid_t thread, int number, const struct watch *watch, struct progress *progress) {
    ptrace(PTRACE_DETACH, thread, 0, number);
    if (!progress->left_some && watch->unseen)
        watch->unseen(UNSEEN_SIGNALS, watch->arg);
    progress->left_some = true;
}

static bool has_ended(const struct progress *progress) {
    struct pollfd end = { .fd = progress->process, .events = POLLIN };
    return progress->process && poll(&end, 1, 0) == 1;
}

/* false: nobody was found */
static bool seek(pid_t pid, const struct watch *watch, struct progress *progress) {
    return !(progress->left_some && has_ended(progress)) && newcomers_seek(&progress->newcomers, pid, options_of(watch));
}

static void hand_on(pid_t thread, int number, const struct watch *watch, struct progress *progress) {
    bool may_leave = watch->signal && !watch->look && !watch->every_thread;        /* `look` must not miss its moment */
    if (may_leave && !allowance_take(&progress->signals) && !(watch->may_kill && watch->may_kill(thread, number, watch->arg)) &&
        can_seize_again(thread) && newcomers_sought(&progress->newcomers)) {
        leave_alone(thread, number, watch, progress);
        return;
    }
    /* Should it die of that, it stands again with its registers and memory as they are now, and nobody has had to ask who handles it. */
    if (watch->signal && watch->signal(thread, number, watch->arg))
        ptrace(PTRACE_SETOPTIONS, thread, 0, (options_of(watch) & ~(progress->newcomers.sought ? (unsigned long)PTRACE_O_TRACECLONE : 0)) | PTRACE_O_TRACEEXIT);
    ptrace(PTRACE_CONT, thread, 0, number);
}

static void tell_end(pid_t pid, int status, const struct watch *watch, struct progress *progress) {
    if (watch->ended && !progress->told)
        watch->ended(pid, status, watch->arg);
    progress->told = true;
}

/* How a process ended that nobody watched then: from /proc while it waits for its parent, or from the kernel's memory of it after that (Linux 6.15).
 * 0: not known. */
static int status_of_end(pid_t pid, const struct progress *progress) {
    enum { ROUNDS = 200, ROUND = 5000000 /* ns */, PIDFD_EXIT = 8 };
    struct { uint64_t mask, cgroup; uint32_t pid, tgid, ppid, ids[8]; int32_t status; } info;       /* struct pidfd_info, younger than the headers */
    const struct timespec round = { .tv_nsec = ROUND };
    bool gone = false;
    for (int i = 0; i < ROUNDS && progress->process; i++) {
        info.mask = PIDFD_EXIT;
        if (ioctl(progress->process, _IOWR(0xff, 11, info), &info) == 0 && (info.mask & PIDFD_EXIT))
            return info.status;
        if (gone)
            return 0;                 /* an older kernel remembers nothing */
        int status = (int)life_number(pid, LIFE_STATUS);
        gone = syscall(SYS_pidfd_send_signal, progress->process, 0, NULL, 0) != 0;     /* what was read may be another's then */
        if (gone)
            continue;
        if (status)
            return status;
        nanosleep(&round, NULL);
    }
    return 0;
}

static void at_exit_stop(pid_t pid, pid_t thread, const struct watch *watch, struct progress *progress) {
    unsigned long status = 0;
    newcomers_hold(&progress->newcomers, true);
    if (watch->look && !progress->looked && thread == pid) {
        progress->looked = true;
        watch->look(pid, watch->arg);
    }
    if (watch->dead && ptrace(PTRACE_GETEVENTMSG, thread, 0, &status) == 0 && WIFSIGNALED((int)status) &&
        watch->dead(pid, thread, WTERMSIG((int)status), watch->arg))
        if (progress->left_some && !life_is_traced(pid))       /* its end would be told to others only */
            tell_end(pid, (int)status, watch, progress);
    newcomers_hold(&progress->newcomers, false);
}

/* `stop` as waitid has it: the signal, and the event above it. */
static void go_on(pid_t pid, pid_t thread, int stop, const struct watch *watch, struct progress *progress) {
    int event = stop >> 8, number = stop & 0xff;
    if (event == PTRACE_EVENT_EXIT) {
        at_exit_stop(pid, thread, watch, progress);
    } else if (event == PTRACE_EVENT_STOP) {
        if (number == SIGSTOP || number == SIGTSTP || number == SIGTTIN || number == SIGTTOU) {
            ptrace(PTRACE_LISTEN, thread, 0, 0);
            return;
        }
        if (thread != pid && !is_thread_of(thread, pid)) {
            ptrace(PTRACE_DETACH, thread, 0, 0);
            return;
        }
        /* It has its maker's options from before: threads that make one another in a row would all be told of. */
        if (progress->newcomers.sought && !progress->newcomers.stops.left)
            leave_untold(thread, watch);
    } else if (event == PTRACE_EVENT_CLONE) {
        follow(thread, watch, progress);
    } else if (!event) {
        hand_on(thread, number, watch, progress);
        return;
    }
    ptrace(PTRACE_CONT, thread, 0, 0);
}

/* Nobody is watched just now. Whether somebody will be: a thread that execve has put in the place of the first one, or one that was left alone. */
static bool again(pid_t pid, const struct watch *watch, struct progress *progress) {
    if (!progress->left_some)         /* its number may be another's by now */
        return !has_ended(progress) && watch_seize(pid, watch) == 0;
    newcomers_wait();
    if (seek(pid, watch, progress))
        return true;
    if (progress->process)
        return !has_ended(progress);
    char state = life_state(pid);
    return state && state != 'Z' && state != 'X';
}

int watch_wait(pid_t pid, bool seized, const struct watch *watch) {
    enum { SIGNALS = 64, SIGNAL_EVERY = 5000000 /* ns */ };
    struct progress progress = { .signals = allowance_of(SIGNALS, SIGNAL_EVERY) };
    int status = 0, process = watch->signal && seized ? (int)syscall(SYS_pidfd_open, pid, 0) : 0;
    progress.process = process > 0 ? process : 0;
    newcomers_begin(&progress.newcomers, watch->every_thread);
    for (;;) {
        siginfo_t info;
        if (newcomers_due() && progress.newcomers.sought)
            seek(pid, watch, &progress);
        /* Left waitable: whoever waits for it too is told of its end when we have taken it, so `ended` comes first. */
        if (waitid(P_ALL, 0, &info, WEXITED | (seized ? WSTOPPED : 0) | WNOWAIT | __WALL) != 0) {
            if (errno == EINTR || (errno == ECHILD && seized && again(pid, watch, &progress)))
                continue;
            break;
        }
        bool over = info.si_pid == pid && (info.si_code == CLD_EXITED || info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED);
        if (over)                     /* before the end is told, which may wait for who reads it */
            newcomers_end(&progress.newcomers);
        int ended = info.si_code == CLD_EXITED ? (info.si_status & 0xff) << 8 : info.si_status | (info.si_code == CLD_DUMPED ? 0x80 : 0);
        if (over)
            tell_end(pid, ended, watch, &progress);
        else if (info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED)
            progress.killed = ended;
        /* A stop need not be taken: it is over when the thread goes on. */
        if (info.si_code == CLD_TRAPPED || info.si_code == CLD_STOPPED)
            go_on(pid, info.si_pid, info.si_status, watch, &progress);
        else if (waitpid(info.si_pid, &status, __WALL) == info.si_pid && over)
            break;
    }
    newcomers_end(&progress.newcomers);
    if (progress.process && !progress.told) {          /* nobody watched the first thread: perhaps another one's end told of the process's */
        int end = progress.killed ? progress.killed : status_of_end(pid, &progress);
        if (WIFSIGNALED(end))
            tell_end(pid, end, watch, &progress);
    }
    if (progress.process)
        close(progress.process);
    return status;
}

int watch_child(pid_t child, int go, const struct watch *watch, int *status) {
    int error = watch_seize(child, watch);
    if (write(go, error ? "" : "w", 1) != 1)
        kill(child, SIGKILL);
    close(go);
    *status = watch_wait(child, error == 0, watch);
    return error;
}
