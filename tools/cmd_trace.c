/* cmd_trace.c - `ldr trace`: run a program with the linker's record on and show it, or show a record made before. */
#include "host/forward.h"
#include "host/ldso.h"
#include "ldr.h"
#include "trace/trace.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { KEY_JSON = 256, KEY_VIEWER, KEY_READ, KEY_RECORD, KEY_CHILDREN };
enum form { FORM_TEXT, FORM_JSON, FORM_VIEWER };

struct trace_options {
    enum form form;
    const char *read, *record, *output;
    bool children;
    struct story_filter filter;
    char **program;
};

static const struct argp_option options[] = {
    { "event", 'e', "KINDS", 0, "Only these kinds of events, separated by commas; all for every kind (default: all but bind and directory)", 0 },
    { "object", 'O', "PATTERN", 0, "Only events about objects whose path or file name matches", 0 },
    { "symbol", 's', "PATTERN", 0, "Only bindings of symbols that match", 0 },
    { "json", KEY_JSON, NULL, 0, "One JSON object a line", 1 },
    { "viewer", KEY_VIEWER, NULL, 0, "Trace Event format, for Perfetto and chrome://tracing", 1 },
    { "output", 'o', "FILE", 0, "Write the events to FILE (default: standard error after a run, standard output with --read)", 1 },
    { "children", KEY_CHILDREN, NULL, 0, "Also what PROGRAM executes, as in `ldr session`", 2 },
    { "record", KEY_RECORD, "FILE", 0, "Keep the record in FILE, which must not exist", 2 },
    { "read", KEY_READ, "FILE", 0, "Show the record in FILE and run nothing", 2 },
    { 0 },
};

static void parse_kinds(struct trace_options *trace, const char *list, struct argp_state *state) {
    char *copy = must_format("%s", list), *rest = copy;
    trace->filter.kinds = 0;
    for (char *word; (word = strsep(&rest, ","));) {
        int kind = story_kind_of(word);
        if (strcmp(word, "all") == 0)
            trace->filter.kinds = (1u << STORY_KINDS) - 1;
        else if (kind >= 0)
            trace->filter.kinds |= 1u << kind;
        else {
            char known[400] = "";
            for (int i = 0; i < STORY_KINDS; i++)
                strcat(strcat(known, " "), story_kind_name((enum story_kind)i));
            argp_error(state, "no kind of event '%s'; there are all%s", word, known);
        }
    }
    free(copy);
}

static error_t parse_option(int key, char *arg, struct argp_state *state) {
    struct trace_options *trace = state->input;
    switch (key) {
    case 'e': parse_kinds(trace, arg, state); return 0;
    case 'O': trace->filter.object = arg; return 0;
    case 's':
        trace->filter.symbol = arg;
        trace->filter.kinds |= 1u << STORY_BIND;
        return 0;
    case 'o': trace->output = arg; return 0;
    case KEY_JSON: trace->form = FORM_JSON; return 0;
    case KEY_VIEWER: trace->form = FORM_VIEWER; return 0;
    case KEY_READ: trace->read = arg; return 0;
    case KEY_RECORD: trace->record = arg; return 0;
    case KEY_CHILDREN: trace->children = true; return 0;
    case ARGP_KEY_ARG:
        if (trace->read)
            argp_error(state, "--read runs no program");
        trace->program = state->argv + state->next - 1;
        state->next = state->argc;
        return 0;
    case ARGP_KEY_END:
        if (!trace->read && !trace->program)
            argp_error(state, "no program named, and no record to --read");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    options, parse_option, "PROGRAM [ARG...]\n--read FILE",
    "Run PROGRAM through ld-ldr.so and tell what the linker did: searches, maps, relocations, bindings, constructors, dlopen and dlclose, "
    "with times.\v"
    "PROGRAM is found and started as by `ldr run`. Its forked children are followed; what it executes only with --children. "
    "Any process on ld-ldr.so records itself when the variable LDR_TRACE names a file; --read shows that.\n"
    "\n"
    "Kinds: process phase search try directory map relocate bind lazy protect constructor destructor dlopen dlclose keep unload tls tls-block error cache\n"
    "\n"
    "Exit status: the program's own (128+N after signal N); 127 not found, 126 not executable, 125 ldr's own failure. "
    "With --read: 0, 1 unreadable, 3 when parts of the record are missing.\n"
    "\n"
    "Examples:\n"
    "  ldr trace python3 -c 'import ssl'             every event but bindings, then where the time went\n"
    "  ldr trace -e constructor -- gimp --version    the constructors and how long each took\n"
    "  ldr trace --symbol malloc ./server            who was bound to which malloc\n"
    "  ldr trace --viewer -o start.json clang -v     open start.json in https://ui.perfetto.dev\n"
    "  ldr trace -e dlclose,keep,unload ./plugins    why a library was not unloaded\n"
    "  ldr trace -e dlopen,error ./plugins           what could not be opened, and why\n",
    NULL, NULL, NULL,
};

static uint64_t monotonic(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The child becomes `ldr run PROGRAM` or `ldr session PROGRAM`: one way to start a program, messages included. */
static void become(const struct trace_options *trace, const char *record) {
    setenv("LDR_TRACE", record, 1);
    /* What comes relocated from the cache was bound in another process. */
    if (trace->filter.kinds >> STORY_BIND & 1)
        setenv("LDR_CACHE", "off", 1);
    else if (!trace->record)
        setenv("LDR_TRACE_BINDINGS", "off", 1);
    size_t count = 0;
    while (trace->program[count])
        count++;
    char **words = must_alloc(count + 3, sizeof *words);
    words[0] = "ldr trace";       /* whom messages come from */
    words[1] = "--";
    memcpy(words + 2, trace->program, count * sizeof *words);
    exit((trace->children ? cmd_session : cmd_run)((int)count + 2, words));
}

/* Signals are the program's: we wait and report. The record is removed while they still are. */
static int run(const struct trace_options *trace, const char *record, struct wall *wall) {
    int status;
    wall->start = monotonic();
    pid_t child = forward_fork(0);
    if (child == 0)
        become(trace, record);
    if (child < 0) {
        warn_ldr("fork: %s", strerror(errno));
        if (!trace->record)
            unlink(record);
        return LDR_EXIT_OWN;
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    wall->end = monotonic();
    if (!trace->record)
        unlink(record);
    forward_end();
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int show(const struct trace_options *trace, int fd, const char *path, bool not_started, const struct wall *wall, FILE *out) {
    struct record record;
    struct trace_model model;
    bool good = record_read(fd, path, &record);
    if (record.empty && !not_started)
        warn_ldr("%s is empty: no process on ld-ldr.so wrote to it", path);
    if (!good || (!record.count && not_started)) {      /* why was said already */
        record_free(&record);
        return good ? LDR_EXIT_OK : LDR_EXIT_FAILED;
    }
    model_make(&record, &trace->filter, &model);
    switch (trace->form) {
    case FORM_TEXT: trace_text(&model, &trace->filter, wall, out); break;
    case FORM_JSON: trace_json(&model, &trace->filter, out); break;
    case FORM_VIEWER: trace_viewer(&model, &trace->filter, out); break;
    }
    bool partial = record.lost || model.unnamed;
    if (model.unnamed)
        warn_ldr("%" PRIu64 " bindings are not named: the file of their object is gone or another one by now", model.unnamed);
    if (record.lost)
        warn_ldr("%" PRIu64 " parts of the record cannot be understood and are left out", record.lost);
    if (record.unfinished)
        warn_ldr("%" PRIu64 " event%s unfinished: a process was killed while it wrote", record.unfinished, record.unfinished == 1 ? " is" : "s are");
    if (!record.count) {
        warn_ldr("%s holds no event: no process on ld-ldr.so wrote to it", path);
        partial = true;
    }
    model_free(&model);
    record_free(&record);
    return partial ? LDR_EXIT_PARTIAL : LDR_EXIT_OK;
}

int cmd_trace(int argc, char **argv) {
    struct trace_options trace = { .filter.kinds = ((1u << STORY_KINDS) - 1) & ~(1u << STORY_BIND | 1u << STORY_DIRECTORY) };
    argp_err_exit_status = LDR_EXIT_OWN;
    if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &trace) != 0)
        return LDR_EXIT_OWN;
    FILE *out = trace.output ? fopen(trace.output, "we") : trace.read ? stdout : stderr;
    if (!out) {
        warn_ldr("%s: %s", trace.output, strerror(errno));
        return trace.read ? LDR_EXIT_FAILED : LDR_EXIT_OWN;
    }
    int status;
    if (trace.read) {
        status = show(&trace, -1, trace.read, false, NULL, out);
    } else {
        /* In memory where possible: the first store to each page of a file on disk may wait for its journal. */
        const char *folder = getenv("TMPDIR");
        folder = folder && *folder ? folder : access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
        char *path = trace.record ? must_format("%s", trace.record) : must_format("%s/ldr-trace-XXXXXX", folder);
        int fd = trace.record ? open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : mkostemp(path, O_CLOEXEC);
        if (fd < 0) {
            warn_ldr("%s: %s", path, strerror(errno));
            return LDR_EXIT_OWN;
        }
        struct wall wall = { 0 };
        char *full = realpath(path, NULL);
        status = run(&trace, full ? full : path, &wall);
        signal(SIGPIPE, SIG_IGN);     /* who reads the events may have seen enough; the status stays the program's */
        show(&trace, fd, path, status >= LDR_EXIT_OWN && status <= LDR_EXIT_NOT_FOUND, &wall, out);
        close(fd);
        free(full);
        free(path);
    }
    if (out != stdout && (trace.output ? fclose(out) : fflush(out)) != 0 && errno != EPIPE) {
        warn_ldr("writing the events failed: %s", strerror(errno));
        return trace.read ? LDR_EXIT_FAILED : LDR_EXIT_OWN;
    }
    return status;
}
