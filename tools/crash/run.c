/* run.c - `ldr run --crash-report`: this process becomes the program; a grandchild of it watches.
 *
 * So the program keeps the process id, the parent, the terminal and the end that it has without the option: its status, its core file
 * and the flag that tells of one need not be imitated. The watcher is no child of the program (a wait for any child would meet it), is in a
 * session of its own (signals of the terminal are the program's) and holds no descriptor but standard error. The kernel tells the
 * program's parent of its end only when the watcher has seen it, so the report is written before a shell prompts again. */
#include "crash.h"
#include "../ldr.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { REPORT_SECONDS = 120, STACK = 8 << 20, GUARD = 4096, SMALL_STACK = 8192 };

/* Where the program-to-be and its watcher meet: GONE is what the kernel writes when the watcher ends. */
enum step { GONE, BEGUN, REFUSED_ONCE, PERMITTED, REFUSED, WATCHED };

struct reporter {
    struct crash_watch *watch;
    const char *text, *json;          /* as given to crash_run; the watcher stays in the folder of the start */
    bool every_thread;
    pid_t program, watcher;
    int error;                        /* of the last try to watch */
    int step;                         /* enum step; a futex */
    bool moves;                       /* the middle and the watcher, to where the program-to-be runs */
    unsigned cpu;                     /* that is there */
    cpu_set_t allowed;                /* where else it may */
};

/* Where the middle and the watcher begin: to touch a mapping of its own, as the large stack is, would cost page tables of its own before the program
 * starts. */
static char middle_stack[SMALL_STACK] __attribute__((aligned(16))), first_stack[SMALL_STACK] __attribute__((aligned(16)));

static bool at_signal(pid_t thread, int number, void *arg) {
    return crash_signal_stop(thread, number, ((const struct reporter *)arg)->watch);
}

static bool may_kill(pid_t thread, int number, void *arg) {
    (void)arg;
    return crash_may_kill(thread, number);
}

static bool at_death(pid_t pid, pid_t thread, int number, void *arg) {
    const struct reporter *reporter = arg;
    /* A report that takes too long ends the watcher, and the program ends at last. */
    alarm(REPORT_SECONDS);
    bool reported = crash_dead(pid, thread, number, reporter->watch);
    alarm(0);
    return reported;
}

static void at_unseen(enum watch_unseen why, void *arg) {
    crash_unseen(((const struct reporter *)arg)->watch, why);
}

static void at_end(pid_t pid, int status, void *arg) {
    const struct reporter *reporter = arg;
    (void)pid;
    crash_write(reporter->watch, status, reporter->text, reporter->json);
}

static void only_standard_error(void) {
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; null >= 0 && fd <= STDERR_FILENO; fd++)
        if (fd < STDERR_FILENO || (fcntl(fd, F_GETFD) < 0 && fd != null))
            dup2(null, fd);
    syscall(SYS_close_range, STDERR_FILENO + 1u, ~0u, 0u);
}

static void go_to(struct reporter *reporter, enum step step) {
    __atomic_store_n(&reporter->step, (int)step, __ATOMIC_RELEASE);
    syscall(SYS_futex, &reporter->step, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static enum step wait_beyond(struct reporter *reporter, enum step step) {
    int now;
    while ((now = __atomic_load_n(&reporter->step, __ATOMIC_ACQUIRE)) == (int)step)
        syscall(SYS_futex, &reporter->step, FUTEX_WAIT, (int)step, NULL, NULL, 0);
    return (enum step)now;
}

static struct watch watch_of(struct reporter *reporter) {
    return (struct watch){ .signal = at_signal, .may_kill = may_kill, .dead = at_death, .unseen = at_unseen, .ended = at_end, .arg = reporter,
                           .every_thread = reporter->every_thread };
}

/* Also where the start was told to block or ignore it. */
static void alarm_works(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    signal(SIGALRM, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* The program starts meanwhile, on this CPU or on another one. */
static _Noreturn void watch_and_report(struct reporter *reporter) {
    struct watch watch = watch_of(reporter);
    only_standard_error();
    if (reporter->moves)
        sched_setaffinity(0, sizeof reporter->allowed, &reporter->allowed);
    signal(SIGPIPE, SIG_IGN);
    alarm_works();
    watch_wait(reporter->program, true, &watch);
    _exit(0);
}

static _Noreturn void go_on_with_a_large_stack(struct reporter *reporter, char *stack) {
    __asm__ volatile("movq %0, %%rsp\n\txorl %%ebp, %%ebp\n\tcall *%1" : : "c"(stack + STACK), "a"(watch_and_report), "D"(reporter) : "memory");
    __builtin_unreachable();
}

static int be_watcher(void *arg) {
    struct reporter *reporter = arg;
    struct watch watch = watch_of(reporter);
    char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED || mprotect(stack, GUARD, PROT_NONE) != 0) {
        reporter->error = errno;
        go_to(reporter, REFUSED);
        _exit(LDR_EXIT_OWN);
    }
    reporter->error = watch_seize(reporter->program, &watch);
    if (reporter->error) {
        reporter->watcher = getpid();
        go_to(reporter, REFUSED_ONCE);
        /* The program-to-be may have been killed: nobody answers then. */
        const struct timespec patience = { .tv_sec = 2 };
        while (__atomic_load_n(&reporter->step, __ATOMIC_ACQUIRE) == REFUSED_ONCE)
            if (syscall(SYS_futex, &reporter->step, FUTEX_WAIT, REFUSED_ONCE, &patience, NULL, 0) != 0 && errno == ETIMEDOUT)
                _exit(LDR_EXIT_OWN);
        /* That is the program's first thread; one to be seized later would be refused again. */
        reporter->every_thread = watch.every_thread = true;
        reporter->error = watch_seize(reporter->program, &watch);
    }
    go_to(reporter, reporter->error ? REFUSED : WATCHED);
    if (reporter->error)
        _exit(LDR_EXIT_OWN);
    go_on_with_a_large_stack(reporter, stack);
}

/* Both run where the program-to-be runs, which waits for them: to another CPU and back would be two wake-ups of one that sleeps. */
static void stay_here(const struct reporter *reporter) {
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET(reporter->cpu, &here);
    sched_setaffinity(0, sizeof here, &here);
}

static int be_middle(void *arg) {
    struct reporter *reporter = arg;
    setsid();
    if (reporter->moves)
        stay_here(reporter);
    if (clone(be_watcher, first_stack + SMALL_STACK, CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, reporter, NULL, NULL, &reporter->step) < 0) {
        reporter->error = errno;
        reporter->step = GONE;
    }
    _exit(0);
}

/* The watcher shares this process's memory until the program takes its place (execve leaves it all to the watcher): no page table is copied, no
 * page copied on writing, which were most of what a start cost. Until it has told how it went only one of the two runs.
 * The middle has no end signal: a SIGCHLD would still be pending in the program if that is blocked. */
static int begin_watch(struct reporter *reporter) {
    /* With more CPUs than fit the two go where the kernel likes. */
    reporter->moves = getcpu(&reporter->cpu, NULL) == 0 && reporter->cpu < CPU_SETSIZE &&
                      sched_getaffinity(0, sizeof reporter->allowed, &reporter->allowed) == 0;
    reporter->error = ECHILD;
    reporter->step = BEGUN;
    pid_t middle = clone(be_middle, middle_stack + SMALL_STACK, CLONE_VM | CLONE_VFORK, reporter);
    if (middle < 0)
        return errno;
    int status = 0;
    while (waitpid(middle, &status, __WALL) < 0 && errno == EINTR)
        ;
    if (WIFSIGNALED(status))
        return ECHILD;                /* killed, perhaps before there was a watcher */
    int step = (int)wait_beyond(reporter, BEGUN);
    if (step == REFUSED_ONCE) {
        /* where only descendants may be traced (Yama), this one is allowed to; forgotten again before the program starts */
        prctl(PR_SET_PTRACER, (unsigned long)reporter->watcher, 0, 0, 0);
        if (__atomic_compare_exchange_n(&reporter->step, &step, PERMITTED, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
            syscall(SYS_futex, &reporter->step, FUTEX_WAKE, 1, NULL, NULL, 0);
            step = (int)wait_beyond(reporter, PERMITTED);
        }
        prctl(PR_SET_PTRACER, 0, 0, 0, 0);
    }
    return step == WATCHED ? 0 : reporter->error ? reporter->error : ECHILD;
}

/* The watcher would be inherited by the program, as a child it does not know. NULL: by somebody else. */
static const char *inherits(pid_t program) {
    int reaper = 0;
    return program == 1 ? "it is process 1" : prctl(PR_GET_CHILD_SUBREAPER, &reaper, 0, 0, 0) == 0 && reaper ? "it is a subreaper" : NULL;
}

void unwatched(char **watched) {
    for (; watched && *watched; watched++)
        watched[0] = watched[1];
}

int crash_run(const char *text, const char *json, bool every_thread, const struct crash_start *start, const char *program, char **args, char **watched) {
    struct reporter *reporter = must_alloc(1, sizeof *reporter);       /* the watcher's, for the rest of its life */
    *reporter = (struct reporter){ .watch = crash_watch_of(start), .text = text, .json = json, .every_thread = every_thread, .program = getpid() };
    const char *why = inherits(reporter->program);
    int error = why ? 0 : begin_watch(reporter);
    if (why || error)
        warn_ldr("no crash report, the program cannot be watched: %s", why ? why : strerror(error));
    if (why || error)
        unwatched(watched);
    execv(program, args);
    warn_ldr("%s: cannot be executed: %s", program, strerror(errno));
    return LDR_EXIT_OWN;
}
