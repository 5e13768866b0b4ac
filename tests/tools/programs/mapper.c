/* mapper.c - pages of every class, so many as asked for and not one more: no C library, so that nothing else is in memory.
 *
 *   mapper [STEP...]      does the steps, prints "ready PID [PID of its child]", waits for the end of its input
 *
 *   anon=N      N pages of anonymous memory, written          zero=N   read only: the zero page
 *   heap=N      N pages of brk                                bss=N    of its own .bss (at most 64)
 *   data=N      N pages of its own .data written (at most 8)
 *   shared=N    N pages of MAP_SHARED | MAP_ANONYMOUS         memfd=N  of a memory file, shared
 *   tmpfs=N     likewise of a file in /dev/shm that has no name any more
 *   private=N   N pages of that memory file mapped privately and written
 *   huge=N      N transparent huge pages, written             huge-zero=N  read only
 *   hugetlb=N   N huge pages from the pool
 *   file=PATH   all of a file mapped privately and read       file-write=N  the first N pages of it written
 *   sparse=N    N pages, 1 GiB apart, in one mapping of N GiB
 *   many=N      N mappings of one page each, every second one read-only, all written
 *   places=N    N mappings of the first page of its own program, at places that are no image's
 *   merge=N     N pages with equal bytes, for KSM: the process waits until none is its own any more (30 s at most)
 *   swap=N      N pages of anonymous memory written and then sent to swap
 *   guard=N     N pages of anonymous memory made a guard region, none of them touched
 *   protect=N   N pages of anonymous memory write-protected by userfaultfd, none of them touched
 *   ring=N      a ring of io_uring with N entries, mapped and read
 *   aio         a ring of AIO, the first page of it read
 *   fork        a child that has all that too (what a read gives it included); steps after it are the child's alone
 *   hidden      PR_SET_DUMPABLE 0
 *
 * A step that cannot be done ends it with "no STEP".
 */
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

enum { PAGE = 4096, BSS_PAGES = 64, DATA_PAGES = 8 };
#define HUGE ((size_t)2 << 20)

static char bss_pages[BSS_PAGES * PAGE] __attribute__((aligned(PAGE)));
static char data_pages[DATA_PAGES * PAGE] __attribute__((aligned(PAGE))) = { 1 };

static long call(long number, long a, long b, long c, long d, long e, long f) {
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
    return result;
}
#define CALL(number, a, b, c) call(number, (long)(a), (long)(b), (long)(c), 0, 0, 0)

static size_t length(const char *text) {
    size_t len = 0;
    while (text[len])
        len++;
    return len;
}

static void say(const char *text) { CALL(SYS_write, 1, text, length(text)); }

static void say_number(long number) {
    char text[24], *at = text + sizeof text - 1;
    *at = '\0';
    do
        *--at = (char)('0' + number % 10);
    while (number /= 10);
    say(at);
}

static void leave(int status) {
    CALL(SYS_exit_group, status, 0, 0);
    __builtin_unreachable();
}

static const char *step;
static void must(bool good) {
    if (good)
        return;
    say("no ");
    say(step);
    say("\n");
    leave(2);
}

/* "NAME=REST" of the step; NULL when it is another. */
static const char *value_of(const char *name) {
    const char *at = step;
    for (; *name; name++, at++)
        if (*at != *name)
            return NULL;
    return *at == '=' ? at + 1 : NULL;
}

static bool number_of(const char *name, size_t *number) {
    const char *at = value_of(name);
    if (!at)
        return false;
    for (*number = 0; *at; at++)
        *number = *number * 10 + (size_t)(*at - '0');
    return true;
}

static bool is(const char *name) {
    const char *at = step;
    while (*at && *at == *name)
        at++, name++;
    return *at == *name;
}

static char *map(size_t len, int protection, int flags, long fd) {
    long at = call(SYS_mmap, 0, (long)len, protection, flags, fd, 0);
    must(at > 0 || at < -4095);
    return (char *)at;
}

static void touch(char *at, size_t pages, bool write) {
    for (size_t i = 0; i < pages; i++)
        if (write)
            *(volatile char *)(at + i * PAGE) = (char)(i + 1);
        else
            (void)*(volatile char *)(at + i * PAGE);
}

static char *anonymous(size_t pages) { return map(pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1); }

/* So that no huge page is given where small ones are counted. */
static char *small(size_t pages) {
    char *at = anonymous(pages);
    CALL(SYS_madvise, at, pages * PAGE, MADV_NOHUGEPAGE);
    return at;
}

static void make_huge(size_t count, bool write) {
    char *space = map((count + 1) * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    char *at = (char *)(((uintptr_t)space + HUGE - 1) & -HUGE);
    must(CALL(SYS_madvise, at, count * HUGE, MADV_HUGEPAGE) == 0);
    for (size_t i = 0; i < count; i++)
        touch(at + i * HUGE, 1, write);
}

static void sleep_a_little(void) {
    long tenth[2] = { 0, 100 * 1000 * 1000 };
    CALL(SYS_nanosleep, tenth, 0, 0);
}

/* pagemap words of ours, one by one: counts those with (word & mask) == wanted */
static size_t count_words(const char *at, size_t pages, uint64_t mask, uint64_t wanted) {
    static const char path[] = "/proc/self/pagemap";
    long fd = CALL(SYS_open, path, O_RDONLY, 0);
    size_t found = 0;
    for (size_t i = 0; i < pages; i++) {
        uint64_t word = 0;
        call(SYS_pread64, fd, (long)&word, 8, (long)(((uintptr_t)at / PAGE + i) * 8), 0, 0);
        found += (word & mask) == wanted;
    }
    CALL(SYS_close, fd, 0, 0);
    return found;
}
#define SWAPPED (UINT64_C(1) << 62)
#define EXCLUSIVE (UINT64_C(1) << 56)

static void make_merged(size_t pages) {
    char *at = small(pages);
    for (size_t i = 0; i < pages; i++) /* equal, and with nobody else's */
        for (size_t b = 0; b < PAGE; b += 8)
            *(volatile uint64_t *)(at + i * PAGE + b) = 0x6d61707065720000 + b;
    must(CALL(SYS_madvise, at, pages * PAGE, MADV_MERGEABLE) == 0);
    for (int i = 0; i < 300 && count_words(at, pages, EXCLUSIVE, EXCLUSIVE); i++)
        sleep_a_little();
    must(count_words(at, pages, EXCLUSIVE, 0) == pages);
}

static void make_swapped(size_t pages) {
    char *at = small(pages);
    touch(at, pages, true);
    for (int i = 0; i < 50 && count_words(at, pages, SWAPPED, SWAPPED) != pages; i++) {
        must(CALL(SYS_madvise, at, pages * PAGE, MADV_PAGEOUT) == 0);
        sleep_a_little();
    }
    must(count_words(at, pages, SWAPPED, SWAPPED) == pages);
}

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

static void make_guard(size_t pages) { must(CALL(SYS_madvise, small(pages), pages * PAGE, MADV_GUARD_INSTALL) == 0); }

static void make_protected(size_t pages) {
    long fd = CALL(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY, 0, 0);
    struct uffdio_api api = { .api = UFFD_API, .features = (1 << 13) | (1 << 15) }; /* UFFD_FEATURE_WP_UNPOPULATED, _WP_ASYNC */
    char *at = small(pages);
    struct uffdio_register range = { .range = { (uintptr_t)at, pages * PAGE }, .mode = UFFDIO_REGISTER_MODE_WP };
    struct uffdio_writeprotect protect = { .range = { (uintptr_t)at, pages * PAGE }, .mode = UFFDIO_WRITEPROTECT_MODE_WP };
    must(fd >= 0 && CALL(SYS_ioctl, fd, UFFDIO_API, &api) == 0 && CALL(SYS_ioctl, fd, UFFDIO_REGISTER, &range) == 0 &&
         CALL(SYS_ioctl, fd, UFFDIO_WRITEPROTECT, &protect) == 0);
}

static void make_ring(size_t entries) {
    struct io_uring_params ring;
    for (size_t i = 0; i < sizeof ring; i++)
        ((volatile char *)&ring)[i] = 0;
    long fd = CALL(SYS_io_uring_setup, entries, &ring, 0);
    must(fd >= 0);
    size_t pages = ((size_t)ring.sq_entries * sizeof(struct io_uring_sqe) + PAGE - 1) / PAGE;
    long at = call(SYS_mmap, 0, (long)(pages * PAGE), PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQES);
    must(at > 0 || at < -4095);
    touch((char *)at, pages, false);
}

static void make_aio(void) {
    long context = 0;
    must(CALL(SYS_io_setup, 512, &context, 0) == 0);
    touch((char *)context, 1, false);
}

static long memory_file = -1;
static char *file_at;

static void do_step(void) {
    size_t n;
    const char *path;
    if (number_of("anon", &n)) {
        touch(small(n), n, true);
    } else if (number_of("zero", &n)) {
        touch(small(n), n, false);
    } else if (number_of("heap", &n)) {
        long at = (CALL(SYS_brk, 0, 0, 0) + PAGE - 1) & -(long)PAGE;
        must(CALL(SYS_brk, at + (long)n * PAGE, 0, 0) == at + (long)n * PAGE);
        touch((char *)at, n, true);
    } else if (number_of("bss", &n)) {
        touch(bss_pages, n, true);
    } else if (number_of("data", &n)) {
        touch(data_pages, n, true);
    } else if (number_of("shared", &n)) {
        touch(map(n * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1), n, true);
    } else if (number_of("memfd", &n)) {
        memory_file = CALL(SYS_memfd_create, "mapper", 0, 0);
        must(memory_file >= 0 && CALL(SYS_ftruncate, memory_file, n * PAGE, 0) == 0);
        touch(map(n * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memory_file), n, true);
    } else if (number_of("tmpfs", &n)) {
        long fd = CALL(SYS_open, "/dev/shm", O_RDWR | O_TMPFILE, 0600);
        must(fd >= 0 && CALL(SYS_ftruncate, fd, n * PAGE, 0) == 0);
        touch(map(n * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd), n, true);
    } else if (number_of("private", &n)) {
        touch(map(n * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, memory_file), n, true);
    } else if (number_of("huge", &n)) {
        make_huge(n, true);
    } else if (number_of("huge-zero", &n)) {
        make_huge(n, false);
    } else if (number_of("hugetlb", &n)) {
        char *at = map(n * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_HUGE_2MB, -1);
        for (size_t i = 0; i < n; i++)
            touch(at + i * HUGE, 1, true);
    } else if ((path = value_of("file"))) {
        long fd = CALL(SYS_open, path, O_RDONLY, 0);
        must(fd >= 0);
        long len = CALL(SYS_lseek, fd, 0, 2);
        must(len > 0);
        file_at = map((size_t)len, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
        touch(file_at, ((size_t)len + PAGE - 1) / PAGE, false);
    } else if (number_of("file-write", &n)) {
        must(file_at != NULL);
        touch(file_at, n, true);
    } else if (number_of("sparse", &n)) {
        char *at = map(n << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
        CALL(SYS_madvise, at, n << 30, MADV_NOHUGEPAGE);
        for (size_t i = 0; i < n; i++)
            touch(at + (i << 30), 1, true);
    } else if (number_of("many", &n)) {
        char *at = small(n);
        touch(at, n, true);
        for (size_t i = 0; i < n; i += 2)
            must(CALL(SYS_mprotect, at + i * PAGE, PAGE, PROT_READ) == 0);
    } else if (number_of("places", &n)) {
        long fd = CALL(SYS_open, "/proc/self/exe", O_RDONLY, 0);
        must(fd >= 0);
        for (size_t i = 0; i < n; i++)
            touch(map(PAGE, PROT_READ, MAP_PRIVATE, fd), 1, false);
    } else if (number_of("merge", &n)) {
        make_merged(n);
    } else if (number_of("swap", &n)) {
        make_swapped(n);
    } else if (number_of("guard", &n)) {
        make_guard(n);
    } else if (number_of("protect", &n)) {
        make_protected(n);
    } else if (number_of("ring", &n)) {
        make_ring(n);
    } else if (is("aio")) {
        make_aio();
    } else if (is("hidden")) {
        must(CALL(SYS_prctl, PR_SET_DUMPABLE, 0, 0) == 0);
    } else {
        must(false);
    }
}

static long child;
static void wait_for_end(void) {
    char c;
    while (CALL(SYS_read, 0, &c, 1) > 0)
        ;
}

/* The child does the steps that follow, then tells through the pipe and waits to be killed. */
static void fork_child(char **rest) {
    int ends[2];
    must(CALL(SYS_pipe, ends, 0, 0) == 0);
    child = CALL(SYS_fork, 0, 0, 0);
    must(child >= 0);
    if (child == 0) {
        CALL(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0);
        for (; *rest; rest++) {
            step = *rest;
            do_step();
        }
        CALL(SYS_write, ends[1], "c", 1);
        for (;;)
            CALL(SYS_pause, 0, 0, 0);
    }
    char c;
    CALL(SYS_close, ends[1], 0, 0);
    must(CALL(SYS_read, ends[0], &c, 1) == 1);
}

__attribute__((used)) static void start(long *stack) {
    long count = stack[0];
    char **words = (char **)(stack + 1);
    for (long i = 1; i < count; i++) {
        step = words[i];
        if (is("fork")) {
            fork_child(words + i + 1);
            break;
        }
        do_step();
    }
    say("ready ");
    say_number(CALL(SYS_getpid, 0, 0, 0));
    if (child) {
        say(" ");
        say_number(child);
    }
    say("\n");
    wait_for_end();
    if (child)
        CALL(SYS_kill, child, SIGKILL, 0);
    leave(0);
}

__asm__(".globl _start\n_start: mov %rsp, %rdi\n and $-16, %rsp\n call start\n");
