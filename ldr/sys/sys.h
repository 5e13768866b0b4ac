/* sys.h - contract of floor 3: typed system calls. Each returns the result or a negative errno; nothing is retried except EINTR on
 * open. No errno variable exists here. */
#ifndef LDR_SYS_H
#define LDR_SYS_H

#include <asm/prctl.h>
#include <asm/stat.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <asm/unistd.h>

#include "../base/base.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

/* Registers of the x86-64 call: rax number, rdi rsi rdx r10 r8 r9 arguments; rcx and r11 are lost (psABI A.2.1). */
static inline long sys_call(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
    return result;
}

/* calls.S: `count` system calls, the first one first, carried out by code that reads and writes nothing but them: it may be copied, from sys_calls
 * to sys_calls_end, to wherever it is to run, for calls that take the rest of ours away for a moment. */
struct sys_later {
    long number, arguments[6], must /* the process ends with status 127 when it fails, for there is nobody to tell */, result;
};
extern void sys_calls(struct sys_later *call, unsigned long count);
extern const char sys_calls_end[];

static inline bool sys_failed(const void *address)     /* of mmap */
{
    return (u64)address > -4096ul;
}
static inline int sys_error_of(const void *address)
{
    return (int)-(long)address;
}
static inline void *sys_mmap(void *at, size_t len, int prot, int flags, int fd, u64 off)
{
    return (void *)sys_call(__NR_mmap, (long)at, (long)len, prot, flags, fd, (long)off);
}
static inline int sys_munmap(void *at, size_t len) { return (int)sys_call(__NR_munmap, (long)at, (long)len, 0, 0, 0, 0); }
static inline int sys_mprotect(void *at, size_t len, int prot) { return (int)sys_call(__NR_mprotect, (long)at, (long)len, prot, 0, 0, 0); }
static inline int sys_madvise(void *at, size_t len, int advice) { return (int)sys_call(__NR_madvise, (long)at, (long)len, advice, 0, 0, 0); }
static inline int sys_open_read(const char *path)
{
    long fd;
    do                                /* a slow file system may be interrupted by a signal */
        fd = sys_call(__NR_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0, 0, 0);
    while (fd == -4 /* EINTR */);
    return (int)fd;
}
/* By directory descriptor, never through a link at the last step: what lies in a directory of ours is ours or refused. */
static inline int sys_openat(int dir, const char *name, int flags, int mode)
{
    long fd;
    do
        fd = sys_call(__NR_openat, dir, (long)name, flags | O_NOFOLLOW | O_CLOEXEC, mode, 0, 0);
    while (fd == -4 /* EINTR */);
    return (int)fd;
}
static inline int sys_mkdir(const char *path, int mode) { return (int)sys_call(__NR_mkdir, (long)path, mode, 0, 0, 0, 0); }
static inline int sys_fchmod(int fd, int mode) { return (int)sys_call(__NR_fchmod, fd, mode, 0, 0, 0, 0); }
static inline int sys_renameat(int dir, const char *from, const char *to) { return (int)sys_call(__NR_renameat, dir, (long)from, dir, (long)to, 0, 0); }
static inline int sys_unlinkat(int dir, const char *name) { return (int)sys_call(__NR_unlinkat, dir, (long)name, 0, 0, 0, 0); }
static inline int sys_flock(int fd, int how) { return (int)sys_call(__NR_flock, fd, how, 0, 0, 0, 0); }
static inline long sys_pwrite(int fd, const void *from, size_t len, u64 off) { return sys_call(__NR_pwrite64, fd, (long)from, (long)len, (long)off, 0, 0); }
static inline long sys_getrandom(void *to, size_t len) { return sys_call(__NR_getrandom, (long)to, (long)len, 0, 0, 0, 0); }
static inline int sys_open_append(const char *path)
{
    return (int)sys_call(__NR_openat, AT_FDCWD, (long)path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666, 0, 0);
}
/* A file to be mapped shared, made if `create`; never a terminal's controlling one, never through a link placed by others in /tmp. */
static inline int sys_open_record(const char *path, bool create)
{
    return (int)sys_call(__NR_openat, AT_FDCWD, (long)path, O_RDWR | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | (create ? O_CREAT : 0), 0600, 0, 0);
}
static inline int sys_fallocate(int fd, u64 off, u64 len) { return (int)sys_call(__NR_fallocate, fd, 0, (long)off, (long)len, 0, 0); }
static inline int sys_close(int fd) { return (int)sys_call(__NR_close, fd, 0, 0, 0, 0, 0); }
static inline long sys_read(int fd, void *to, size_t len) { return sys_call(__NR_read, fd, (long)to, (long)len, 0, 0, 0); }
static inline long sys_pread(int fd, void *to, size_t len, u64 off) { return sys_call(__NR_pread64, fd, (long)to, (long)len, (long)off, 0, 0); }
static inline int sys_fstat(int fd, struct stat *st) { return (int)sys_call(__NR_fstat, fd, (long)st, 0, 0, 0, 0); }
static inline int sys_stat(const char *path, struct stat *st) { return (int)sys_call(__NR_stat, (long)path, (long)st, 0, 0, 0, 0); }
static inline int sys_access(const char *path, int mode) { return (int)sys_call(__NR_access, (long)path, mode, 0, 0, 0, 0); }
static inline long sys_readlink(const char *path, char *to, size_t len) { return sys_call(__NR_readlink, (long)path, (long)to, (long)len, 0, 0, 0); }
static inline long sys_getcwd(char *to, size_t len) { return sys_call(__NR_getcwd, (long)to, (long)len, 0, 0, 0, 0); }
static inline int sys_set_fs(void *tp) { return (int)sys_call(__NR_arch_prctl, ARCH_SET_FS, (long)tp, 0, 0, 0, 0); }
static inline int sys_set_tid_address(int *tid) { return (int)sys_call(__NR_set_tid_address, (long)tid, 0, 0, 0, 0, 0); }
static inline int sys_set_robust_list(void *head, size_t len) { return (int)sys_call(__NR_set_robust_list, (long)head, (long)len, 0, 0, 0, 0); }
static inline int sys_rseq(void *area, u32 len, u32 signature) { return (int)sys_call(__NR_rseq, (long)area, len, 0, signature, 0, 0); }
static inline int sys_futex_wait(int *word, int value) { return (int)sys_call(__NR_futex, (long)word, 128, value, 0, 0, 0); }
static inline int sys_futex_wake(int *word, int count) { return (int)sys_call(__NR_futex, (long)word, 129, count, 0, 0, 0); }
static inline int sys_gettid(void) { return (int)sys_call(__NR_gettid, 0, 0, 0, 0, 0, 0); }
static inline int sys_getppid(void) { return (int)sys_call(__NR_getppid, 0, 0, 0, 0, 0, 0); }
static inline int sys_clock(int clock, u64 *nanoseconds)
{
    struct { i64 s, ns; } time = { 0, 0 };
    int err = (int)sys_call(__NR_clock_gettime, clock, (long)&time, 0, 0, 0, 0);
    *nanoseconds = (u64)time.s * 1000000000u + (u64)time.ns;
    return err;
}
struct sys_usage { i64 user_s, user_us, system_s, system_us, unused[4], minor_faults, major_faults, rest[8]; };     /* struct rusage */
static inline int sys_getrusage(struct sys_usage *usage) { return (int)sys_call(__NR_getrusage, 0, (long)usage, 0, 0, 0, 0); }
static inline int sys_getpid(void) { return (int)sys_call(__NR_getpid, 0, 0, 0, 0, 0, 0); }
_Noreturn static inline void sys_exit(int status)
{
    for (;;)
        sys_call(__NR_exit_group, status, 0, 0, 0, 0, 0);
}

/* sys_write_all - the whole text, or nothing more can be done about it. */
void sys_write_all(int fd, const char *text, size_t len);

#endif
