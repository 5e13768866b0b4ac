/* pair.c - how long a command takes, and how two commands compare.
 *
 * The two run alternately, A B A B..., on one cpu, and each A is compared with the B right after it: what the
 * machine does meanwhile (clock, neighbours, caches) falls on both alike and leaves the ratio. Medians, because
 * a neighbour only ever adds time.
 *
 * Where the cpu time comes from. The child is left a zombie (waitid WNOWAIT) and its process cpu clock is read:
 * the scheduler's own sum of nanoseconds on a cpu (sum_exec_runtime), user and system together, from clone to the
 * last switch away, so the tear-down of the address space is in it. Measured against the others on one child:
 *   process cpu clock   590,184 ns
 *   /proc/PID/schedstat 590,184 ns   the same number; the clock needs no open and no parsing
 *   wait4 rusage        590 us       the same sum cut to microseconds, but its split into user and system is made
 *                                    up from 4 ms ticks (whole runs show 590 us user and 0 system, the next one
 *                                    0 and 575), and it includes grandchildren
 * So there is no exact split: for that, profile.sh samples. Faults are exact in rusage: they are counted, not
 * sampled.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

struct sample {
    double wall_us, cpu_us, faults, preempted; /* as in struct summary, of one run */
    int status;                                /* as from wait */
};

static double microseconds(clockid_t clock)
{
    struct timespec now = {0};
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* Start argv once with its output thrown away, wait for it. Returns 0 or -errno. */
static int run_sample(char *const *argv, struct sample *out)
{
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);

    cache_forget();
    pid_t pid;
    double start = microseconds(CLOCK_MONOTONIC);
    int failure = posix_spawn(&pid, argv[0], &files, NULL, argv, command_environment());
    posix_spawn_file_actions_destroy(&files);
    if (failure)
        return -failure;

    limit_run(pid);
    siginfo_t info;
    while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) && errno == EINTR)
        ;
    limit_run(0);
    clockid_t clock;
    failure = clock_getcpuclockid(pid, &clock);
    double cpu = failure ? 0 : microseconds(clock);
    struct rusage used;
    while (wait4(pid, &out->status, 0, &used) < 0)
        if (errno != EINTR)
            return -errno;
    out->wall_us = microseconds(CLOCK_MONOTONIC) - start;
    out->cpu_us = cpu;
    out->faults = (double)used.ru_minflt;
    out->preempted = (double)used.ru_nivcsw;
    return -failure;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts in place. */
static double median(double *value, size_t count)
{
    qsort(value, count, sizeof *value, ascending);
    return (value[(count - 1) / 2] + value[count / 2]) / 2;
}

/* The interval between two order statistics holds the true median with 95 % whatever the distribution: the
 * number of values below the median is binomial(count, 1/2), of standard deviation sqrt(count) / 2. */
static struct ratio ratio_of(double *value, size_t count)
{
    struct ratio result = {.median = median(value, count)};
    double reach = 0.98 * sqrt((double)count);
    double low = floor((double)count / 2 - reach) - 1, high = ceil((double)count / 2 + reach);
    result.low = value[low < 0 ? 0 : (size_t)low];
    result.high = value[high > (double)count - 1 ? count - 1 : (size_t)high];
    return result;
}

static struct summary summary_of(const struct sample *sample, size_t count, double *scratch)
{
    struct summary result;
#define MEDIAN(field) (({ for (size_t i = 0; i < count; i++) scratch[i] = sample[i].field; }), median(scratch, count))
    result.wall_us = MEDIAN(wall_us);
    result.wall_min_us = scratch[0];
    result.cpu_us = MEDIAN(cpu_us);
    result.cpu_min_us = scratch[0];
    result.faults = MEDIAN(faults);
    result.preempted = MEDIAN(preempted);
#undef MEDIAN
    return result;
}

static int run_checked(char *const *argv, int status, struct sample *out)
{
    int failure = run_sample(argv, out);
    if (failure) {
        fprintf(stderr, "bench: cannot start %s: %s\n", command_text(argv), strerror(-failure));
        return -1;
    }
    if (WIFSIGNALED(out->status)) {
        fprintf(stderr, "bench: killed by signal %d%s: %s\n", WTERMSIG(out->status),
                WTERMSIG(out->status) == SIGKILL ? " (time is up?)" : "", command_text(argv));
        return -1;
    }
    if (WEXITSTATUS(out->status) != status) {
        fprintf(stderr, "bench: exit status %d, expected %d: %s\n", WEXITSTATUS(out->status), status, command_text(argv));
        return -1;
    }
    return 0;
}

int measure_pair(char *const *const argv[SIDES], size_t runs, size_t warmup, int status, struct pair *result)
{
    int failure = -1;
    struct sample *sample[SIDES] = {calloc(runs, sizeof **sample), calloc(runs, sizeof **sample)};
    double *scratch = calloc(runs, sizeof *scratch);
    if (!sample[OURS] || !sample[SYSTEM] || !scratch || !runs) {
        fprintf(stderr, "bench: no memory for %zu runs\n", runs);
        goto out;
    }
    for (size_t i = 0; i < warmup + runs; i++)
        for (int side = 0; side < SIDES; side++)
            if (run_checked(argv[side], status, &sample[side][i < warmup ? 0 : i - warmup]))
                goto out;

    result->run_count = runs;
    for (int side = 0; side < SIDES; side++)
        result->side[side] = summary_of(sample[side], runs, scratch);
    for (size_t i = 0; i < runs; i++)
        scratch[i] = sample[OURS][i].cpu_us / sample[SYSTEM][i].cpu_us;
    result->cpu = ratio_of(scratch, runs);
    for (size_t i = 0; i < runs; i++)
        scratch[i] = sample[OURS][i].wall_us / sample[SYSTEM][i].wall_us;
    result->wall = ratio_of(scratch, runs);
    failure = 0;
out:
    free(sample[OURS]);
    free(sample[SYSTEM]);
    free(scratch);
    return failure;
}

int measure_one(char *const *argv, size_t runs, int status, struct summary *result)
{
    int failure = runs ? 0 : -1;
    struct sample *sample = calloc(runs, sizeof *sample);
    double *scratch = calloc(runs, sizeof *scratch);
    for (size_t i = 0; i < runs && !failure; i++)
        failure = !sample || !scratch || run_checked(argv, status, &sample[i]) ? -1 : 0;
    if (!failure)
        *result = summary_of(sample, runs, scratch);
    free(sample);
    free(scratch);
    return failure;
}
