/* taken.c - taken ADDRESS LENGTH COMMAND... - starts COMMAND with a mapping without access at ADDRESS already there: between exec and the
 * first instruction its tracer lets it call mmap, then leaves it alone. Ends as the command does. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

static int fail(const char *what)
{
    perror(what);
    return 125;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 125;
    unsigned long address = strtoul(argv[1], NULL, 16), length = strtoul(argv[2], NULL, 16);
    pid_t pid = fork();
    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        execv(argv[3], argv + 3);
        _exit(fail(argv[3]));
    }
    int status;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
        return fail("start");
    struct user_regs_struct was, regs;
    ptrace(PTRACE_GETREGS, pid, 0, &was);
    long word = ptrace(PTRACE_PEEKTEXT, pid, was.rip, 0);
    regs = was;
    regs.rax = SYS_mmap;
    regs.rdi = address;
    regs.rsi = length;
    regs.rdx = PROT_NONE;
    regs.r10 = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
    regs.r8 = -1ul;
    regs.r9 = 0;
    ptrace(PTRACE_POKETEXT, pid, was.rip, (word & ~0xffffl) | 0x050f /* syscall */);
    ptrace(PTRACE_SETREGS, pid, 0, &regs);
    ptrace(PTRACE_SINGLESTEP, pid, 0, 0);
    waitpid(pid, &status, 0);
    ptrace(PTRACE_GETREGS, pid, 0, &regs);
    if (regs.rax != address)
        fprintf(stderr, "taken: mmap at %lx gave %llx\n", address, regs.rax);
    ptrace(PTRACE_POKETEXT, pid, was.rip, word);
    ptrace(PTRACE_SETREGS, pid, 0, &was);
    ptrace(PTRACE_DETACH, pid, 0, 0);
    if (waitpid(pid, &status, 0) != pid)
        return fail("wait");
    return regs.rax != address ? 125 : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
