/* run.c LDSO CASES - starts every case under the linker and judges how it ends.
 *
 * A line of CASES:  NAME  CLASS  HOW  WORD...      HOW start: LDSO --library-path DIR PROGRAM     HOW open: LDSO OPENER FILE
 *
 * Good ends: 0; 4 and 5 (loaded, other answers than the undamaged file); 127 with a message; 1 with a message about versions, as the
 * system's linker has it; 3 with dlerror's text. A signal is never good, with two exceptions:
 *
 *   bytes  the damaged file is a valid one that means something else (another pointer, another function's address, code that is not
 *          there). Such a program may fault in its own code, but never with the program counter in the linker, which is looked up at
 *          the moment of the signal. The linker's jump to an address that the file gave counts as the file's, and so do the two or three
 *          instructions of __tls_get_addr and of TLS descriptors: the program calls those with an argument of its own.
 *   code   the file's code is entered at a wrong place: what runs then is anybody's guess, and so is where it ends.
 *
 * After 5 seconds a case hangs, whatever its class. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECONDS 5
#define WORDS 8

struct ending {
    int status;                       /* exit status, or -signal, or -1000: hung */
    char where[300];                  /* for a signal: mapping and offset of the program counter */
    bool in_linker;
    char said[400];                   /* first bytes of stderr */
};

static const char *ldso;
static struct { unsigned long at; char name[64]; } function[8192];
static unsigned function_count;

static void read_functions(void)
{
    char command[400];
    snprintf(command, sizeof command, "nm -n --defined-only '%s'", ldso);
    FILE *in = popen(command, "r");
    char type;
    while (in && function_count < 8192 && fscanf(in, "%lx %c %63s", &function[function_count].at, &type, function[function_count].name) == 3)
        function_count += type == 't' || type == 'T';
    if (in)
        pclose(in);
}

static const char *function_at(unsigned long at)
{
    const char *name = "?";
    for (unsigned i = 0; i < function_count && function[i].at <= at; i++)
        name = function[i].name;
    return name;
}

/* Whether the linker was about to go, or was asked to read, where the file told it to. */
static bool only_follows(pid_t pid, unsigned long rip, const char *name)
{
    if (strcmp(name, "ldr_tls_get_addr") == 0 || strncmp(name, "ldr_tlsdesc_", 12) == 0)
        return true;
    long word = ptrace(PTRACE_PEEKTEXT, pid, (void *)rip, 0);
    unsigned char op = (unsigned char)word, next = (unsigned char)(word >> 8);
    if ((op & 0xf0) == 0x40) {        /* REX */
        op = next;
        next = (unsigned char)(word >> 16);
    }
    unsigned kind = next >> 3 & 7;
    return op == 0xff && (kind == 2 || kind == 4);
}

/* The mapping that holds the program counter, from the stopped process's maps. */
static void find_pc(pid_t pid, struct ending *ending)
{
    struct user_regs_struct regs;
    siginfo_t info = { 0 };
    char path[64], line[600];
    if (ptrace(PTRACE_GETREGS, pid, 0, &regs) != 0)
        return;
    ptrace(PTRACE_GETSIGINFO, pid, 0, &info);
    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    FILE *maps = fopen(path, "r");
    snprintf(ending->where, sizeof ending->where, "pc 0x%llx outside every mapping, address %p", regs.rip, info.si_addr);
    while (maps && fgets(line, sizeof line, maps)) {
        unsigned long start, end, off;
        char prot[8];
        int at = 0;
        if (sscanf(line, "%lx-%lx %7s %lx %*s %*s %n", &start, &end, prot, &off, &at) < 4 || regs.rip < start || regs.rip >= end)
            continue;
        char *file = line + at;
        file[strcspn(file, "\n")] = 0;
        const char *name = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
        const char *own = strrchr(ldso, '/') ? strrchr(ldso, '/') + 1 : ldso;
        unsigned long place = regs.rip - start + off;
        bool linker = strcmp(name, own) == 0 && prot[2] == 'x';
        ending->in_linker = linker && !only_follows(pid, regs.rip, function_at(place));
        snprintf(ending->where, sizeof ending->where, "pc %s+0x%lx (%s), address %p", *name ? name : "anonymous memory", place,
                 linker ? function_at(place) : "", info.si_addr);
    }
    if (maps)
        fclose(maps);
}

static void child(char **argv, int out)
{
    struct rlimit none = { 0, 0 };
    setrlimit(RLIMIT_CORE, &none);
    dup2(out, 1);
    dup2(out, 2);
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    execv(argv[0], argv);
    _exit(126);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct ending run_case(char **argv, int out)
{
    struct ending ending = { 0 };
    sigset_t chld;
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    if (ftruncate(out, 0) != 0 || lseek(out, 0, SEEK_SET) != 0)
        exit(2);
    pid_t pid = fork();
    if (pid == 0) {
        sigprocmask(SIG_UNBLOCK, &chld, NULL);
        child(argv, out);
    }
    double limit = now() + SECONDS;
    for (bool execed = false;;) {
        int status;
        pid_t got = waitpid(pid, &status, WNOHANG | __WALL);
        if (got == 0) {
            double left = limit - now();
            struct timespec wait = { left > 0 ? (time_t)left : 0, left > 0 ? (long)((left - (double)(time_t)left) * 1e9) : 0 };
            if (left <= 0 || (sigtimedwait(&chld, NULL, &wait) < 0 && errno == EAGAIN)) {
                ending.status = -1000;
                kill(pid, SIGSTOP);
                if (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status))
                    find_pc(pid, &ending);
                kill(pid, SIGKILL);
                waitpid(pid, &status, __WALL);
                break;
            }
            continue;
        }
        if (WIFEXITED(status)) {
            ending.status = WEXITSTATUS(status);
            break;
        }
        if (WIFSIGNALED(status)) {
            ending.status = -WTERMSIG(status);
            break;
        }
        int sig = WSTOPSIG(status);
        if (sig == SIGTRAP && !execed) {
            execed = true;
            sig = 0;
        } else if (sig == SIGSEGV || sig == SIGBUS || sig == SIGILL || sig == SIGFPE || sig == SIGABRT || sig == SIGTRAP || sig == SIGSYS) {
            find_pc(pid, &ending);
        }
        ptrace(PTRACE_CONT, pid, 0, (long)sig);
    }
    ssize_t n = pread(out, ending.said, sizeof ending.said - 1, 0);
    ending.said[n > 0 ? n : 0] = 0;
    return ending;
}

/* NULL: a good end; else what is wrong with it. */
static const char *judge(const struct ending *ending, bool start, const char *class)
{
    switch (ending->status) {
    case 0: return NULL;
    case 1: return strstr(ending->said, "version `") ? NULL : "status 1 without a word of versions";
    case 5:
    case 4: return strcmp(class, "sound") == 0 ? "an undamaged file works differently" : NULL;
    case 3: return start ? "status 3" : *ending->said ? NULL : "refused without words";
    case 127: return *ending->said ? NULL : "status 127 without a message";
    case -1000: return "hangs";
    }
    if (ending->status >= 0)
        return "unexpected status";
    if (strcmp(class, "code") == 0)
        return NULL;
    if (ending->in_linker)
        return "a signal inside the linker";
    return strcmp(class, "bytes") == 0 ? NULL : "a signal";
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    bool verbose = argc > 3;          /* every case with its end: what the damage leads to */
    ldso = argv[1];
    read_functions();
    FILE *cases = fopen(argv[2], "r");
    int out = memfd_create("out", 0);
    if (!cases || out < 0)
        return 2;
    sigset_t chld;
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    sigprocmask(SIG_BLOCK, &chld, NULL);
    char line[2000];
    unsigned passed = 0, failed = 0, refused = 0, works = 0, differs = 0, faults = 0;
    while (fgets(line, sizeof line, cases)) {
        char *word[WORDS + 3], *save = NULL;
        int count = 0;
        for (char *w = strtok_r(line, " \n", &save); w && count < WORDS; w = strtok_r(NULL, " \n", &save))
            word[count++] = w;
        if (count < 4)
            continue;
        bool start = strcmp(word[2], "start") == 0;
        char *command[WORDS + 3] = { (char *)ldso };
        int n = 1;
        if (start) {
            command[n++] = (char *)"--library-path";
        }
        for (int i = 3; i < count; i++)
            command[n++] = word[i];
        struct ending ending = run_case(command, out);
        const char *wrong = judge(&ending, start, word[1]);
        if (!wrong) {
            passed++;
            refused += ending.status == 127 || ending.status == 3 || ending.status == 1;
            works += ending.status == 0;
            differs += ending.status == 4 || ending.status == 5;
            faults += ending.status < 0;
        } else {
            failed++;
            ending.said[strcspn(ending.said, "\n")] = 0;
            printf("not ok %s %s (%s): %s: status %d %s %s\n", word[2], word[0], word[1], wrong, ending.status, ending.where, ending.said);
        }
        if (verbose && !wrong) {
            ending.said[strcspn(ending.said, "\n")] = 0;
            printf("%s %s (%s): status %d %s %s\n", word[2], word[0], word[1], ending.status, ending.where, ending.said);
        }
    }
    printf("%u refused with a message, %u work, %u answer differently, %u fault in their own code\n", refused, works, differs, faults);
    printf("%u passed, %u failed, 0 skipped\n", passed, failed);
    return failed != 0;
}
