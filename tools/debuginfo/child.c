/* child.c - a process that can only compute: it reads hostile bytes with libraries that trust them, and whatever they make it do,
 * it can write answers into one pipe and end.
 *
 * The child is a fork, so it has the files in memory and needs to open nothing. Before it looks at the first byte it closes every
 * descriptor but the pipe and gives up all system calls but those for memory of its own, for writing and for its end. The parent
 * takes what comes as hostile too (debuginfo.c). Limits of time and memory end a child that is led in circles.
 */
#include "../ldr.h"
#include "child.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    SECONDS_MAX = 60,            /* of CPU in the child; of waiting twice as many */
    MEMORY_MAX = 4,              /* GiB more than the parent has */
    ANSWER_MAX = 1 << 30,        /* bytes taken from the child */
};

#ifdef __SANITIZE_ADDRESS__
/* The sanitizer's own threads of work need more system calls and a huge address space. */
static bool give_up_rights(void) { return true; }
#else
static bool give_up_rights(void) {
#define ALLOW(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(write), ALLOW(brk), ALLOW(munmap), ALLOW(mremap), ALLOW(madvise), ALLOW(exit_group), ALLOW(exit),
        /* mmap of memory, not of code: glibc's malloc asks for nothing else */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        /* refused, not killed: a C library asks for much that it can do without (qsort: how much memory is there?) */
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
    };
    struct sock_fprog program = { sizeof filter / sizeof *filter, filter };
    struct rlimit time = { SECONDS_MAX, SECONDS_MAX }, memory;
    if (setrlimit(RLIMIT_CPU, &time) != 0 || getrlimit(RLIMIT_AS, &memory) != 0)
        return false;
    FILE *statm = fopen("/proc/self/statm", "re");
    unsigned long long pages = 0;
    if (!statm || fscanf(statm, "%llu", &pages) != 1)
        pages = 0;
    if (statm)
        fclose(statm);
    rlim_t limit = ((rlim_t)MEMORY_MAX << 30) + pages * 4096;
    if (pages && (memory.rlim_max == RLIM_INFINITY || limit < memory.rlim_max)) {
        memory.rlim_cur = memory.rlim_max = limit;
        if (setrlimit(RLIMIT_AS, &memory) != 0)
            return false;
    }
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}
#endif

static void write_all(int fd, const char *bytes, size_t len) {
    while (len) {
        ssize_t done = write(fd, bytes, len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            _exit(2);
        bytes += done;
        len -= (size_t)done;
    }
}

static void close_others(int kept) {
    if (kept > 0)
        syscall(SYS_close_range, 0u, (unsigned)kept - 1, 0u);
    syscall(SYS_close_range, (unsigned)kept + 1, ~0u, 0u);
}

static _Noreturn void be_child(int out, void (*work)(void *task, struct outbox *outbox), void *task) {
    struct rlimit none = { 0, 0 };
    struct outbox outbox = { 0 };
    /* the parent's handlers are not ours; a core file would hold what the parent holds */
    for (int number = 1; number < 32; number++)
        signal(number, SIG_DFL);
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close_others(out);
    if (!give_up_rights())
        _exit(3);
    work(task, &outbox);
    static const char end[] = "end";
    write_all(out, outbox.bytes, outbox.len);
    write_all(out, end, sizeof end);
    _exit(0);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* All that comes until the end; NULL, or why it is not all. */
static const char *receive(int in, char **bytes, size_t *len) {
    size_t room = 1 << 16;
    double deadline = now() + 2 * SECONDS_MAX;
    *bytes = must_alloc(room, 1);
    for (*len = 0;;) {
        struct pollfd ready = { .fd = in, .events = POLLIN };
        double left = deadline - now();
        if (left <= 0)
            return "took too long";
        int count = poll(&ready, 1, (int)(left * 1000) + 1);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            continue; /* the deadline decides */
        if (*len == room) {
            if (room >= ANSWER_MAX)
                return "gave too long an answer";
            *bytes = must_grow(*bytes, room *= 2, 1);
        }
        ssize_t got = read(in, *bytes + *len, room - *len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return NULL;
        *len += (size_t)got;
    }
}

char *child_run(void (*work)(void *task, struct outbox *outbox), void *task, char **bytes, size_t *len) {
    int ends[2], status = 0;
    *bytes = NULL;
    *len = 0;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return must_format("no pipe: %s", strerror(errno));
    fflush(NULL); /* what is buffered must not be written twice */
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        be_child(ends[1], work, task);
    }
    close(ends[1]);
    if (child < 0) {
        int error = errno;
        close(ends[0]);
        return must_format("no process: %s", strerror(error));
    }
    const char *why = receive(ends[0], bytes, len);
    close(ends[0]);
    if (why)
        kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    static const char end[] = "end";
    if (!why && WIFEXITED(status) && WEXITSTATUS(status) == 0 && *len >= sizeof end &&
        memcmp(*bytes + *len - sizeof end, end, sizeof end) == 0) {
        *len -= sizeof end;
        return NULL;
    }
    free(*bytes);
    *bytes = NULL;
    *len = 0;
    if (why)
        return must_format("the process that reads it %s", why);
    if (WIFSIGNALED(status))
        return must_format("the process that reads it was ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    return must_format("the process that reads it ended with status %d", WEXITSTATUS(status));
}
