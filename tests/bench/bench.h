/* bench.h - what the parts of the benchmark say to each other.
 *
 * bench.c   rows, table, JSON: the program
 * pair.c    how long: two commands run alternately, time and faults of each run
 * pages.c   how much memory: pages a process has written, at the program's entry and at its exit
 * cache.c   what our linker remembers of earlier starts
 * command.c starts one command, the same way for both
 */
#ifndef LDR_BENCH_H
#define LDR_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum { OURS, SYSTEM, SIDES };

/* ---- command.c ---- */

/* command_environment - the environment every measured command gets: fixed, plus the caller's LDR_* variables. */
char **command_environment(void);

/* command_environment_renew - a variable of ours was set since. */
void command_environment_renew(void);

/* command_text - argv joined by spaces, for messages; static storage, overwritten by the next call. */
const char *command_text(char *const *argv);

/* pin_to_cpu - this process and all it starts run on one cpu; -1 picks the last allowed one.
 *   returns the cpu, or -errno */
int pin_to_cpu(int cpu);

/* limit_run - kill pid when it still runs after a minute: a linker that hangs must not hang the benchmark. 0 ends
 * the watch. */
void limit_run(pid_t pid);

/* ---- cache.c ---- */

/* In which state ours finds its cache: as the caller's environment has it; unused; empty at each start; every start made before. */
enum cache_state { STATE_AS_IS, STATE_OFF, STATE_FIRST, STATE_WARM };

/* cache_use - from now on, with the cache in `parent`/cache. 0, or -1 after a message */
int cache_use(enum cache_state state, const char *parent);

/* cache_warm - start argv once so that its start is remembered when this returns. 0 or -1 */
int cache_warm(char *const *argv);

/* cache_forget - before each run: empties the cache if that is the state, waiting for whoever still writes there. */
void cache_forget(void);

/* ---- pair.c ---- */

/* Medians over runs. */
struct summary {
    double wall_us; /* posix_spawn called to child reaped */
    double cpu_us;  /* user + system, exact (see pair.c) */
    double faults;  /* minor faults */
    double preempted; /* involuntary context switches: the machine was not ours alone */
    double wall_min_us, cpu_min_us; /* these two the least */
};

struct ratio {
    double median;
    double low, high; /* 95 % confidence interval of the median, distribution-free */
};

struct pair {
    size_t run_count;
    struct summary side[SIDES];
    struct ratio cpu, wall; /* ours / system, run by run */
};

/* measure_pair - run ours, system, ours, system... and compare.
 *   in      argv      the two commands
 *           runs      counted runs of each;  warmup  runs of each before, not counted
 *   out     result    filled on success
 *   returns 0, or -1 after a message: a command cannot be started or its status is not `status`
 */
int measure_pair(char *const *const argv[SIDES], size_t runs, size_t warmup, int status, struct pair *result);

/* measure_one - the same for one command alone. */
int measure_one(char *const *argv, size_t runs, int status, struct summary *result);

/* ---- pages.c ---- */

/* KiB of pages that the process wrote and so owns alone, by the mapping they lie in. */
struct private_kib {
    double readonly; /* mapping not writable now: RELRO, and code if text was relocated */
    double file;     /* writable mapping of a file: .data */
    double memory;   /* writable, no file: .bss, heap, the linker's own arenas */
    double stack;
    double tables;   /* VmPTE: page tables; not in total, they are the kernel's */
    double total;    /* readonly + file + memory + stack, in one run */
};

struct pages {
    struct private_kib entry; /* first instruction of the program's own entry point */
    struct private_kib exit;  /* at its exit system call */
};

/* measure_pages - start argv `runs` times and look at its pages; the least of each field.
 *   in      program   the executable whose entry point counts (argv[0] or argv[1])
 *   returns 0, or -1 after a message
 */
int measure_pages(const char *program, char *const *argv, size_t runs, struct pages *result);

/* list_pages - one run: every mapping that has private pages at the program's entry, a line each. */
int list_pages(const char *program, char *const *argv, FILE *list);

#endif
