/* stall.c - how long does somebody who reads a large process's page tables hold it up?
 *
 * stall MIB FILE: maps and touches MIB MiB, an eighth of it pages of FILE (made as large, and removed), the rest memory; prints "ready PID".
 * Then for each line of its input, a number of seconds, it does what needs the lock of the memory map for writing, without pause: map a page,
 * touch it, unmap it. And prints how that went, in nanoseconds:
 *
 *   ROUNDS MEAN WORST UNDISTURBED
 *
 * WORST is of all rounds. UNDISTURBED is the worst of those in which the kernel did not take the processor away for somebody else: on a busy
 * machine the rest. A round that sleeps for the lock counts there, because sleeping is no preemption. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void fail(const char *what) {
    fprintf(stderr, "stall: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void touch(size_t len, int fd) {
    int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    volatile char *at = mmap(NULL, len, PROT_READ | (fd < 0 ? PROT_WRITE : 0), flags, fd, 0);
    if (at == MAP_FAILED)
        fail("mmap");
    /* small pages, whatever the system's setting: as many entries as there can be */
    madvise((void *)at, len, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < len; i += 4096) {
        if (fd < 0)
            at[i] = 1;
        else
            (void)at[i];
    }
}

static uint64_t preemptions(void) {
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return (uint64_t)usage.ru_nivcsw;
}

static void measure(double seconds) {
    uint64_t start = now(), end = start + (uint64_t)(seconds * 1e9), rounds = 0, worst = 0, undisturbed = 0, before = start, taken = preemptions();
    while (before < end) {
        volatile char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED)
            fail("mmap");
        *page = 1;
        munmap((void *)page, 4096);
        uint64_t after = now(), took = after - before, taken_now = preemptions();
        worst = took > worst ? took : worst;
        if (taken_now == taken && took > undisturbed)
            undisturbed = took;
        taken = taken_now;
        rounds++;
        before = now();
    }
    printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", rounds, (before - start) / rounds, worst, undisturbed);
    fflush(stdout);
}

int main(int argc, char **argv) {
    char line[64];
    size_t bytes = argc == 3 ? (size_t)strtoull(argv[1], NULL, 10) << 20 : 0;
    int fd = bytes ? open(argv[2], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    if (!bytes) {
        fprintf(stderr, "usage: stall MIB FILE\n");
        return 2;
    }
    if (fd < 0 || unlink(argv[2]) != 0 || ftruncate(fd, (off_t)(bytes / 8)) != 0)
        fail(argv[2]);
    touch(bytes / 8, fd);
    touch(bytes - bytes / 8, -1);
    printf("ready %d\n", (int)getpid());
    fflush(stdout);
    while (fgets(line, sizeof line, stdin))
        measure(strtod(line, NULL));
    return 0;
}
