/* pages.c - how much memory belongs to one process alone because it was written.
 *
 * The command runs under ptrace and is looked at twice:
 *   entry  at the first instruction of the program's own entry point (e_entry): every library is mapped, relocated
 *          and sealed, every library's constructors have run, and nothing of the program has;
 *   exit   when the process has begun to exit and still has its memory (PTRACE_EVENT_EXIT): lazily bound slots and
 *          whatever the program itself wrote are in it too.
 * The same places for every linker, in command form and as PT_INTERP, since none of it asks the linker: the tracer
 * follows system calls until /proc/PID/maps shows the program's file, reckons e_entry from the mapping, and puts a
 * breakpoint instruction there once the page may be executed. (AT_ENTRY cannot tell: in command form the kernel's copy
 * of the auxiliary vector keeps the linker's own entry.) That makes the page under it private: exactly this one is taken
 * off again. A hardware breakpoint would not, but not every virtual machine has any.
 *
 * What is counted: anonymous pages of each mapping (smaps "Anonymous": own copies of file pages, and memory without
 * a file), whoever wrote them, the kernel's argument pages on the stack included. Clean and dirty file pages are not:
 * they are the page cache's, and a library freshly linked has dirty ones. Memory files (memfd, /dev/shm) are the
 * exception: their pages are counted when this process alone maps them, for a linker that keeps its work there.
 *
 * The stack stands apart: where in its first page randomisation puts it costs one page more or less, now and then two,
 * and "not one page more than the system's" would be decided by that. All else is the same in every run of a linker
 * without randomness of its own; of several runs the least counts, field by field.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

struct program {
    char path[4096];          /* resolved, as maps shows it */
    uint64_t entry;           /* e_entry, a vaddr */
    uint64_t first_load_page; /* vaddr of the lowest PT_LOAD, page-rounded */
};

static int read_program(const char *name, struct program *program)
{
    Elf64_Ehdr header;
    Elf64_Phdr phdr[64];
    int file = open(name, O_RDONLY | O_CLOEXEC);
    if (file < 0 || !realpath(name, program->path)) {
        fprintf(stderr, "bench: %s: %s\n", name, strerror(errno));
        if (file >= 0)
            close(file);
        return -1;
    }
    bool good = pread(file, &header, sizeof header, 0) == sizeof header && !memcmp(header.e_ident, ELFMAG, SELFMAG) &&
                header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_phnum <= 64;
    size_t size = good ? header.e_phnum * sizeof *phdr : 0;
    good = good && pread(file, phdr, size, (off_t)header.e_phoff) == (ssize_t)size;
    close(file);
    program->first_load_page = UINT64_MAX;
    for (int i = 0; good && i < header.e_phnum; i++)
        if (phdr[i].p_type == PT_LOAD && phdr[i].p_vaddr < program->first_load_page)
            program->first_load_page = phdr[i].p_vaddr & -(uint64_t)getpagesize();
    if (!good || program->first_load_page == UINT64_MAX) {
        fprintf(stderr, "bench: %s: not a 64-bit ELF program\n", name);
        return -1;
    }
    program->entry = header.e_entry;
    return 0;
}

static FILE *open_proc(pid_t pid, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    return fopen(path, "re");
}

/* The run-time address of e_entry once its page is mapped and may be executed, else 0. */
static uint64_t find_entry(pid_t pid, const struct program *program)
{
    FILE *maps = open_proc(pid, "maps");
    char line[4608];
    uint64_t found = 0;
    bool executable = false;
    while (maps && !executable && fgets(line, sizeof line, maps)) {
        uint64_t start, end;
        char perms[8];
        int path = 0;
        line[strcspn(line, "\n")] = '\0';
        if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %n", &start, &end, perms, &path) != 3 || !path || strcmp(line + path, program->path))
            continue;
        if (!found)
            found = start - program->first_load_page + program->entry;
        executable = start <= found && found < end && perms[2] == 'x';
    }
    if (maps)
        fclose(maps);
    return executable ? found : 0;
}

/* The word under a breakpoint instruction (int3) at addr, kept in *under; put back when `set` is false. */
static int set_breakpoint(pid_t pid, uint64_t addr, long *under, bool set)
{
    errno = 0;
    if (set)
        *under = ptrace(PTRACE_PEEKTEXT, pid, addr, 0);
    if (errno || ptrace(PTRACE_POKETEXT, pid, addr, set ? (*under & ~0xffl) | 0xcc : *under)) {
        fprintf(stderr, "bench: no breakpoint at 0x%lx: %s\n", addr, strerror(errno));
        return -1;
    }
    return 0;
}

static void add_mapping(struct private_kib *sum, bool writable, bool file, bool stack, double kib)
{
    *(!writable ? &sum->readonly : file ? &sum->file : stack ? &sum->stack : &sum->memory) += kib;
    sum->total += kib;
}

/* Sums of one process now, without the page that the breakpoint made private; with `list`, also each mapping that has
 * private pages. */
static int read_private(pid_t pid, uint64_t breakpoint, struct private_kib *sum, FILE *list)
{
    *sum = (struct private_kib){0};
    FILE *smaps = open_proc(pid, "smaps");
    if (!smaps) {
        fprintf(stderr, "bench: /proc/%d/smaps: %s\n", pid, strerror(errno));
        return -1;
    }
    char line[4608], name[4608], range[40], perms[8];
    bool writable = false, file = false, memory_file = false, stack = false, marked = false;
    while (fgets(line, sizeof line, smaps)) {
        unsigned long inode, kib, start, end;
        int path = 0;
        if (sscanf(line, "%39[0-9a-f-] %7s %*s %*s %lu %n", range, perms, &inode, &path) == 3) {
            strcpy(name, path ? line + path : "");
            writable = perms[1] == 'w';
            file = inode != 0;
            stack = !strncmp(line + path, "[stack]", 7);
            memory_file = file && (!strncmp(line + path, "/memfd:", 7) || !strncmp(line + path, "/dev/shm/", 9));
            marked = sscanf(range, "%lx-%lx", &start, &end) == 2 && start <= breakpoint && breakpoint < end;
        } else if (sscanf(line, "Anonymous: %lu kB", &kib) == 1 && !memory_file) {
            kib -= marked && kib ? (unsigned long)getpagesize() / 1024 : 0;
            add_mapping(sum, writable, file, stack, (double)kib);
            if (list && kib)
                fprintf(list, "   %6lu KiB  %s %s  %s", kib, range, perms, *name ? name : "no file\n");
        } else if (memory_file && (sscanf(line, "Private_Clean: %lu kB", &kib) == 1 ||
                                   sscanf(line, "Private_Dirty: %lu kB", &kib) == 1)) {
            add_mapping(sum, writable, file, stack, (double)kib);
        }
    }
    fclose(smaps);
    FILE *status = open_proc(pid, "status");
    while (status && fgets(line, sizeof line, status))
        sscanf(line, "VmPTE: %lf kB", &sum->tables);
    if (status)
        fclose(status);
    return 0;
}

static pid_t start_traced(char *const *argv)
{
    pid_t pid = fork();
    if (pid)
        return pid;
    int null = open("/dev/null", O_RDWR);
    for (int i = 0; i < 3; i++)
        dup2(null, i);
    if (null > 2)
        close(null);
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    execve(argv[0], argv, command_environment());
    _exit(127);
}

static bool after_mmap(pid_t pid)
{
    static bool in_mmap; /* one tracee at a time; exits alternate with entries */
    struct __ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) <= 0)
        return false;
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
        in_mmap = info.entry.nr == SYS_mmap;
    return info.op == PTRACE_SYSCALL_INFO_EXIT && in_mmap;
}

/* One run under ptrace. Returns 0 with both records filled, or -1 after a message. */
static int look(const struct program *program, char *const *argv, struct pages *pages, FILE *list)
{
    pid_t pid = start_traced(argv);
    int status;
    if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFSTOPPED(status)) {
        fprintf(stderr, "bench: cannot start under ptrace: %s\n", command_text(argv));
        return -1;
    }
    limit_run(pid);
    ptrace(PTRACE_SETOPTIONS, pid, 0,
           PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL);

    bool armed = false, entered = false, exited = false, failed = false, look_for_program = true;
    uint64_t entry = 0;
    long under = 0;
    for (int deliver = 0; !exited && !failed; deliver = 0) {
        if (look_for_program && !armed && (entry = find_entry(pid, program)) != 0) {
            failed = set_breakpoint(pid, entry, &under, true) != 0;
            armed = true;
        }
        look_for_program = false;
        /* Once armed the program runs at full speed: no stop at system calls. */
        ptrace(armed ? PTRACE_CONT : PTRACE_SYSCALL, pid, 0, deliver);
        if (waitpid(pid, &status, 0) < 0 || WIFEXITED(status) || WIFSIGNALED(status))
            break;
        int event = status >> 16, signal = WSTOPSIG(status);
        if (event == PTRACE_EVENT_EXIT) {
            failed = read_private(pid, entry, &pages->exit, NULL) != 0;
            exited = true;
        } else if (event == PTRACE_EVENT_EXEC) {
            armed = entered = false; /* a new address space */
            look_for_program = true;
        } else if (signal == (SIGTRAP | 0x80)) {
            look_for_program = after_mmap(pid);
        } else if (signal == SIGTRAP && armed && !entered) {
            struct user_regs_struct regs;
            if (!ptrace(PTRACE_GETREGS, pid, 0, &regs) && regs.rip == entry + 1) {
                regs.rip = entry;
                failed = read_private(pid, entry, &pages->entry, list) || set_breakpoint(pid, entry, &under, false) ||
                         ptrace(PTRACE_SETREGS, pid, 0, &regs);
                entered = true;
            }
        } else {
            deliver = signal;
        }
    }
    if (!failed && !(entered && exited)) {
        fprintf(stderr, "bench: %s: %s\n", entered ? "no exit seen" : armed ? "entry point not reached" : "program not mapped",
                command_text(argv));
        failed = true;
    }
    if (!WIFEXITED(status) && !WIFSIGNALED(status)) {
        kill(pid, SIGKILL);
        ptrace(PTRACE_CONT, pid, 0, 0);
        while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status))
            ptrace(PTRACE_CONT, pid, 0, 0);
    }
    limit_run(0);
    return failed ? -1 : 0;
}

int measure_pages(const char *name, char *const *argv, size_t runs, struct pages *result)
{
    enum { FIELDS = sizeof(struct pages) / sizeof(double) };
    union look_values {
        struct pages pages;
        double field[FIELDS];
    } seen, least;
    struct program program;
    if (read_program(name, &program))
        return -1;
    for (size_t i = 0; i < runs; i++) {
        if (look(&program, argv, &seen.pages, NULL))
            return -1;
        for (size_t field = 0; field < FIELDS; field++)
            if (!i || seen.field[field] < least.field[field])
                least.field[field] = seen.field[field];
    }
    *result = least.pages;
    return 0;
}

int list_pages(const char *name, char *const *argv, FILE *list)
{
    struct program program;
    struct pages pages;
    return read_program(name, &program) ? -1 : look(&program, argv, &pages, list);
}
