/* options.c - the options of all views, and which of them a report goes to. */
#include "views.h"
#include "../host/proc.h"
#include "../ldr.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEY_JSON = 0x1000, KEY_CSV, KEY_OPENMETRICS, KEY_HTML, KEY_RECORD, KEY_INTERVAL, KEY_REPORTS, KEY_FROM, KEY_REPORT };

static const struct argp_option options[] = {
    { "json", KEY_JSON, NULL, 0, "JSON instead of text: all objects, all processes; with --interval a report a line", 0 },
    { "csv", KEY_CSV, "segments|objects|processes|totals", OPTION_ARG_OPTIONAL,
      "Comma-separated values instead of text (default: of segments)", 0 },
    { "html", KEY_HTML, "FILE", 0, "A page to look at, in one file without external resources", 0 },
    { "openmetrics", KEY_OPENMETRICS, "FILE", 0, "Metrics for Prometheus' textfile collector; FILE is replaced at once", 0 },
    { "record", KEY_RECORD, "FILE", 0, "Add the report to FILE, as a line of JSON; see --from and ldr pages diff", 0 },
    { "interval", KEY_INTERVAL, "SECONDS", 0, "A report every SECONDS (0.1 or more), until interrupted", 0 },
    { "reports", KEY_REPORTS, "N", 0, "With --interval: end after N reports", 0 },
    { "from", KEY_FROM, "FILE", 0, "Show a report that was recorded (--record, --json) instead of measuring", 0 },
    { "report", KEY_REPORT, "N", 0, "With --from: the Nth report, or from the end: -1 the last (default)", 0 },
    { 0 },
};

static enum csv_level csv_level(const char *word, struct argp_state *state) {
    static const char *const words[] = { [CSV_TOTALS] = "totals", [CSV_OBJECTS] = "objects", [CSV_SEGMENTS] = "segments",
                                         [CSV_PROCESSES] = "processes" };
    if (!word)
        return CSV_SEGMENTS;
    for (enum csv_level level = CSV_TOTALS; level <= CSV_PROCESSES; level++)
        if (strcmp(word, words[level]) == 0)
            return level;
    argp_error(state, "--csv knows segments, objects, processes and totals, not '%s'", word);
    return CSV_NONE;
}

/* The file that an option writes. A PID in its place means that the name was forgotten: the process would be left out, and a file called so
 * made, without a word. */
static const char *written_file(const char *option, const char *word, struct argp_state *state) {
    size_t digits = strspn(word, "0123456789");
    int proc = digits && digits < 10 && !word[digits] ? proc_open((pid_t)strtol(word, NULL, 10)) : -1; /* ten digits are more than a PID has */
    if (proc < 0)
        return word;
    close(proc);
    argp_error(state, "--%s needs a file, and %s is a process: ldr pages --%s FILE %s (a file of this name is ./%s)", option, word, option, word, word);
    return NULL;
}

static error_t parse_option(int key, char *arg, struct argp_state *state) {
    struct view_options *views = state->input;
    char *end;
    errno = 0;
    switch (key) {
    case KEY_JSON: views->json = true; return 0;
    case KEY_CSV: views->csv = csv_level(arg, state); return 0;
    case KEY_OPENMETRICS: views->openmetrics = written_file("openmetrics", arg, state); return 0;
    case KEY_HTML: views->html = written_file("html", arg, state); return 0;
    case KEY_RECORD: views->record = written_file("record", arg, state); return 0;
    case KEY_FROM: views->from = arg; return 0;
    case KEY_INTERVAL:
        views->interval_s = strtod(arg, &end);
        /* a month: longer is a mistake, and would not fit the clock's arithmetic for ever */
        if (*end || end == arg || !(views->interval_s >= 0.1 && views->interval_s <= 2678400))
            argp_error(state, "--interval needs seconds from 0.1 to 2678400, not '%s'", arg);
        return 0;
    case KEY_REPORTS:
        views->reports = strtoul(arg, &end, 10);
        if (errno || *end || end == arg || *arg == '-' || views->reports == 0)
            argp_error(state, "--reports needs a number from 1 on, not '%s'", arg);
        return 0;
    case KEY_REPORT:
        views->number = strtol(arg, &end, 10);
        if (errno || *end || end == arg || views->number == 0)
            argp_error(state, "--report needs a number, 1 the first or -1 the last, not '%s'", arg);
        return 0;
    case ARGP_KEY_END: {
        int on_stdout = views->json + (views->csv != CSV_NONE) + (views->html && strcmp(views->html, "-") == 0) +
                        (views->openmetrics && strcmp(views->openmetrics, "-") == 0);
        if (on_stdout > 1)
            argp_error(state, "only one of --json, --csv, --html - and --openmetrics - can have standard output");
        if (views->record && strcmp(views->record, "-") == 0)
            argp_error(state, "--record needs a file; --json with --interval prints a report a line");
        if (views->reports && !views->interval_s)
            argp_error(state, "--reports needs --interval");
        if (views->number && !views->from)
            argp_error(state, "--report needs --from");
        if (views->from && (views->interval_s || views->record))
            argp_error(state, "--from shows what was recorded: no --interval and no --record with it");
        return 0;
    }
    default: return ARGP_ERR_UNKNOWN;
    }
}

const struct argp views_argp = { options, parse_option, NULL, NULL, NULL, NULL, NULL };

bool views_replace_text(const struct view_options *views) {
    return views->json || views->csv != CSV_NONE || views->openmetrics || views->html || views->record;
}

static bool write_file(const char *path, struct json_object *document, void (*write)(FILE *, struct json_object *)) {
    struct outfile out;
    if (!outfile_open(&out, path))
        return false;
    write(out.stream, document);
    return outfile_commit(&out);
}

static void write_openmetrics(FILE *out, struct json_object *document) { openmetrics_write(out, document); }

bool views_write(const struct view_options *views, struct json_object *document, bool again) {
    bool good = true;
    /* files first: whoever reads standard output may close it early */
    if (views->record)
        good &= record_append(views->record, document);
    if (views->openmetrics)
        good &= write_file(views->openmetrics, document, write_openmetrics);
    if (views->html)
        good &= write_file(views->html, document, html_write);
    if (views->csv != CSV_NONE)
        csv_write(stdout, document, views->csv, again);
    if (views->json) {
        int style = views->interval_s ? JSON_C_TO_STRING_PLAIN : JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED;
        puts(json_object_to_json_string_ext(document, style | JSON_C_TO_STRING_NOSLASHESCAPE));
    }
    return good;
}

int views_from(const struct view_options *views, void (*text)(void *context, struct json_object *document), void *context) {
    struct recording recording;
    if (!recording_open(&recording, views->from))
        return LDR_EXIT_FAILED;
    bool broken = false, empty = recording.count == 0;
    struct json_object *document = recording_read(&recording, views->number ? views->number : -1, &broken);
    recording_close(&recording);
    if (!document)
        return empty ? LDR_EXIT_NO_TARGET : LDR_EXIT_FAILED;
    bool good = true;
    if (views_replace_text(views))
        good = views_write(views, document, false);
    else
        text(context, document);
    int status = !good ? LDR_EXIT_FAILED : broken || !member_flag(document, "exact") ? LDR_EXIT_PARTIAL : LDR_EXIT_OK;
    json_object_put(document);
    return status;
}
