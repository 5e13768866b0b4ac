/* cmd_run.c - `ldr run`: start one program through ld-ldr.so.
 *
 * Becomes (execve) `ld-ldr.so [--preload L] [--library-path P] [--argv0 A] PROGRAM ARGS`: same process, same
 * descriptors, and the status is the program's own. With --stats a child becomes that, and we wait and report.
 */
#include "crash/crash.h"
#include "host/forward.h"
#include "host/ldso.h"
#include "host/program.h"
#include "host/request.h"
#include "host/watch.h"
#include "ldr.h"
#include "trace/stats.h"
#include "views/views.h"
#include "watch/watch.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { KEY_STATS = 256, KEY_STATS_JSON, KEY_CRASH, KEY_CRASH_JSON, KEY_EVERY_THREAD };

struct run_options {
    const char *preload;
    const char *library_path;
    const char *argv0;
    bool stats;
    const char *stats_json; /* file, or NULL */
    const char *watch; /* file for --watch-writes */
    const char *crash, *crash_json; /* file, "" for standard error, or NULL */
    bool every_thread;
    char **program; /* NULL-terminated, into argv */
};

static const struct argp_option options[] = {
    { "preload", 'p', "LIST", 0, "Load the objects of LIST (separated by ':' or blanks) before PROGRAM's own", 0 },
    { "library-path", 'L', "PATH", 0, "Search PATH instead of LD_LIBRARY_PATH", 0 },
    { "argv0", 'a', "NAME", 0, "The program sees NAME as its argv[0] (default: as typed)", 0 },
    { "stats", KEY_STATS, NULL, 0, "When PROGRAM ends, and when SIGUSR1 is sent to ldr, tell on standard error the time and the faults of each phase, and the pages of each object", 0 },
    { "stats-json", KEY_STATS_JSON, "FILE", 0, "The same as JSON into FILE", 0 },
    { "watch-writes", 'w', "FILE", 0, "Record into FILE which instruction wrote first to each page, for ldr pages --why --writers", 0 },
    { "crash-report", KEY_CRASH, "FILE", OPTION_ARG_OPTIONAL, "When PROGRAM dies of SIGSEGV, SIGBUS, SIGILL, SIGFPE or SIGABRT, tell why, on standard error or into FILE", 0 },
    { "crash-report-json", KEY_CRASH_JSON, "FILE", 0, "The same as JSON into FILE", 0 },
    { "every-thread", KEY_EVERY_THREAD, NULL, 0, "With --crash-report: be there when any thread dies, even in its first milliseconds; slows programs that make thousands", 0 },
    { 0 },
};

static error_t parse_option(int key, char *arg, struct argp_state *state) {
    struct run_options *run = state->input;
    switch (key) {
    case 'p': run->preload = arg; return 0;
    case 'L': run->library_path = arg; return 0;
    case 'a': run->argv0 = arg; return 0;
    case KEY_STATS: run->stats = true; return 0;
    case KEY_STATS_JSON: run->stats_json = arg; return 0;
    case 'w': run->watch = arg; return 0;
    case KEY_CRASH: run->crash = arg ? arg : ""; return 0;
    case KEY_CRASH_JSON: run->crash_json = arg; return 0;
    case KEY_EVERY_THREAD: run->every_thread = true; return 0;
    case ARGP_KEY_END:
        if (run->every_thread && !run->crash && !run->crash_json)
            argp_error(state, "--every-thread needs --crash-report or --crash-report-json");
        if (run->watch && (run->crash || run->crash_json))
            argp_error(state, "--watch-writes and --crash-report cannot be given together");
        if (run->watch && (run->stats || run->stats_json))
            argp_error(state, "--watch-writes and --stats cannot be given together");
        return 0;
    case ARGP_KEY_ARG:
        /* From the program on, every word is the program's, options included. */
        run->program = state->argv + state->next - 1;
        state->next = state->argc;
        return 0;
    case ARGP_KEY_NO_ARGS: argp_error(state, "no program named"); return EINVAL;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    options, parse_option, "PROGRAM [ARG...]",
    "Start PROGRAM through ld-ldr.so instead of the system's dynamic linker.\v"
    "PROGRAM is searched in PATH; a script is started through the interpreter of its #! line. "
    "Only PROGRAM itself runs on ld-ldr.so, not what it executes: `ldr session` does that for a whole tree. "
    "Set-user-ID and file capabilities have no effect here, because the kernel executes ld-ldr.so.\n"
    "\n"
    "Exit status: the program's own; 127 not found, 126 found but not executable, 125 ldr's own failure.\n"
    "\n"
    "Examples:\n"
    "  ldr run python3 -c 'import ssl; print(ssl.OPENSSL_VERSION)'\n"
    "  ldr run --library-path /opt/new/lib ./server --port 80\n"
    "  ldr run --argv0 -bash bash          a login shell\n"
    "  ldr run --stats perl -e 1           phases, faults and pages of this run\n"
    "  ldr run --stats ./server & kill -USR1 $!      so far; it runs on\n"
    "  ldr run --crash-report ./server     what it died of, with backtrace and source lines\n"
    "  ldr run --watch-writes w.txt ./server &\n"
    "  ldr pages --why=libx.so --writers w.txt --children $!      $! is ldr, which watches\n",
    NULL, NULL, NULL,
};

static void warn_of_lost_privilege(const char *path) {
    struct stat st;
    if (stat(path, &st) != 0)
        return;
    bool other_user = (st.st_mode & S_ISUID) && st.st_uid != geteuid();
    bool other_group = (st.st_mode & S_ISGID) && (st.st_mode & S_IXGRP) && st.st_gid != getegid();
    if (other_user || other_group)
        warn_ldr("%s is set-%s-ID: it runs here without that privilege", path, other_user ? "user" : "group");
}

static uint64_t monotonic(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* What a report is made from, at the end and on request. */
struct reported {
    const struct run_options *run;
    int fd;                   /* of the record; -1: open `path` */
    const char *path;
    pid_t child;
    struct wall wall;         /* end: of the program, once it has ended */
};

static void write_stats(const struct reported *from, const struct stats *stats, const struct record *record, const struct wall *wall) {
    char *text = NULL;
    size_t len = 0;
    FILE *memory = from->run->stats ? open_memstream(&text, &len) : NULL;
    if (memory) {
        stats_print(stats, record, from->child, wall, false, memory);
        fclose(memory);
        fwrite(text, 1, len, stderr);      /* at once: the program may be writing there too */
        free(text);
    }
    struct outfile out;
    if (from->run->stats_json && outfile_open(&out, from->run->stats_json)) {
        stats_print(stats, record, from->child, wall, true, out.stream);
        outfile_commit(&out);
    }
}

static void report_at_end(const struct reported *from, const struct stats *stats) {
    struct record record;
    if (record_read(from->fd, from->path, &record))
        write_stats(from, stats, &record, &from->wall);
    record_free(&record);
}

/* The record before the look: faults that the look counts are then no fewer than those of the last phase told. */
static void report_so_far(void *arg) {
    const struct reported *from = arg;
    struct record record;
    struct stats stats = { .running = true };
    bool good = record_read(from->fd, from->path, &record);
    stats_look(from->child, &stats);
    struct wall wall = { from->wall.start, monotonic() };
    if (good)
        write_stats(from, &stats, &record, &wall);
    else if (record.empty)
        warn_ldr("nothing to tell yet: process %d has not come to ld-ldr.so", (int)from->child);
    stats_free(&stats);
    record_free(&record);
}

/* What --stats and --crash-report look at, of one child. */
struct observed {
    struct stats stats;
    struct crash_watch *crash;
};

static void look(pid_t pid, void *arg) { stats_look(pid, &((struct observed *)arg)->stats); }
static bool at_signal(pid_t thread, int number, void *arg) { return crash_signal_stop(thread, number, ((struct observed *)arg)->crash); }

static bool at_death(pid_t pid, pid_t thread, int number, void *arg) {
    return crash_dead(pid, thread, number, ((const struct observed *)arg)->crash);
}

static void at_unseen(enum watch_unseen why, void *arg) { crash_unseen(((const struct observed *)arg)->crash, why); }

static struct crash_start crash_start_of(const struct run_options *run, const char *program) {
    return (struct crash_start){ program, run->library_path, run->preload };
}

/* The child waits at a pipe until it is watched. A record that the user asked for (LDR_TRACE) is read where it is. */
static int run_with_stats(const struct run_options *run, const char *program, const char *ldso, char **command, char **watched) {
    const char *folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", *asked = getenv("LDR_TRACE");
    char *path = asked && *asked ? must_format("%s", asked) : must_format("%s/ldr-stats-XXXXXX", folder);
    int gate[2], fd = asked && *asked ? -2 : mkostemp(path, O_CLOEXEC), status;
    if (fd == -1 || pipe2(gate, O_CLOEXEC) != 0) {
        warn_ldr("%s: %s", path, strerror(errno));
        return LDR_EXIT_OWN;
    }
    pid_t child = forward_fork(SIGUSR1);
    if (child == 0) {
        char byte;
        setenv("LDR_TRACE", path, 1);
        if (fd >= 0)
            setenv("LDR_TRACE_BINDINGS", "off", 1);      /* nobody would read them */
        close(gate[1]);
        if (read(gate[0], &byte, 1) == 1) {
            if (!byte)
                unwatched(watched);
            execv(ldso, command);
            warn_ldr("%s: cannot be executed: %s", ldso, strerror(errno));
        }
        _exit(LDR_EXIT_OWN);
    }
    if (child < 0) {
        warn_ldr("fork: %s", strerror(errno));
        if (fd >= 0)
            unlink(path);
        return LDR_EXIT_OWN;
    }
    close(gate[0]);
    /* The child may have been ended before it reads; and who reads the report may have seen enough: the status stays the program's. */
    signal(SIGPIPE, SIG_IGN);
    bool crash = run->crash || run->crash_json;
    struct crash_start start = crash_start_of(run, program);
    struct observed observed = { .crash = crash ? crash_watch_of(&start) : NULL };
    struct watch watch = { .look = look, .arg = &observed, .every_thread = run->every_thread };
    if (crash) {
        watch.signal = at_signal;
        watch.dead = at_death;
        watch.unseen = at_unseen;
    }
    struct reported reported = { .run = run, .fd = fd >= 0 ? fd : -1, .path = path, .child = child, .wall.start = monotonic() };
    struct requests requests;
    int error = requests_begin(&requests, SIGUSR1, report_so_far, &reported);
    if (error)
        warn_ldr("SIGUSR1 will not be answered: %s", strerror(error));
    error = watch_child(child, gate[1], &watch, &status);
    requests_end(&requests);
    reported.wall.end = monotonic();
    if (fd >= 0)
        unlink(path);
    forward_end();
    if (error && crash)
        warn_ldr("no crash report, the program could not be watched: %s", strerror(error));
    if (crash)
        crash_write(observed.crash, status, run->crash, run->crash_json);
    report_at_end(&reported, &observed.stats);
    if (fd >= 0)
        close(fd);
    stats_free(&observed.stats);
    free(path);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int cmd_run(int argc, char **argv) {
    struct run_options run = { 0 };
    argp_err_exit_status = LDR_EXIT_OWN;
    if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &run) != 0)
        return LDR_EXIT_OWN;

    char *path, **args;
    int status = program_resolve(run.program, &path, &args);
    if (status) {
        if (run.crash && !*run.crash && run.program[1])
            warn_ldr("%s was taken for the program; a file for the report is given as --crash-report=FILE", run.program[0]);
        return status;
    }
    char *ldso = find_ldso();
    if (!ldso)
        return LDR_EXIT_OWN;
    warn_of_lost_privilege(path);

    /* --argv0 is for what the user typed; a script's interpreter is named by the #! line, as under execve. */
    const char *argv0 = run.argv0 && args[0] == run.program[0] ? run.argv0 : args[0];
    size_t count = 0;
    while (args[count])
        count++;
    char **command = must_alloc(count + 10, sizeof *command), **watched = NULL;
    size_t at = 0;
    command[at++] = ldso;
    /* Another linker given by LDR_LDSO need not know this option. */
    const char *name = strrchr(ldso, '/') ? strrchr(ldso, '/') + 1 : ldso;
    if (strcmp(name, "ld-ldr.so") == 0) {
        command[at++] = "--proc-exe";
        if (run.crash || run.crash_json)
            *(watched = &command[at++]) = "--watched";
    }
    if (run.preload) {
        command[at++] = "--preload";
        command[at++] = (char *)run.preload;
    }
    if (run.library_path) {
        command[at++] = "--library-path";
        command[at++] = (char *)run.library_path;
    }
    if (strcmp(argv0, path) != 0) {
        command[at++] = "--argv0";
        command[at++] = (char *)argv0;
    }
    command[at++] = path;
    for (size_t i = 1; i < count; i++)
        command[at++] = args[i];
    if (run.stats || run.stats_json)
        return run_with_stats(&run, path, ldso, command, watched);
    if (run.crash || run.crash_json) {
        struct crash_start start = crash_start_of(&run, path);
        return crash_run(run.crash, run.crash_json, run.every_thread, &start, ldso, command, watched);
    }
    if (run.watch)
        return watch_run(run.watch, ldso, command);
    execv(ldso, command);
    warn_ldr("%s: cannot be executed: %s", ldso, strerror(errno));
    return LDR_EXIT_OWN;
}
