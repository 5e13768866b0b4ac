/* cmd_pages.c - `ldr pages`: which physical pages do these processes share? */
#include "host/collect.h"
#include "host/ldso.h"
#include "ldr.h"
#include "report.h"
#include "why/why.h"

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pages_options {
    char **words;
    size_t word_count;
    bool all, json, why, top_given;
    size_t top;
    struct why_choice why_object; /* .object NULL: not asked */
};

enum { KEY_JSON = 256, KEY_WHY, KEY_TOP_DEFAULT = 6 };

static const struct argp_option options[] = {
    { "all", 'a', NULL, 0, "Every process, whatever its linker", 0 },
    { "json", KEY_JSON, NULL, 0, "JSON instead of text: all objects, all processes", 0 },
    { "why", KEY_WHY, "OBJECT[:SECTION|PAGE]", OPTION_ARG_OPTIONAL,
      "What made pages private: in the table, columns reloc, reloc+write, write and identical. With OBJECT: its private pages, "
      "the relocations on them, the variables that were written, and what could be won", 0 },
    { "top", 'n', "N", 0, "List the N objects with most mapped pages, the others as one (default 6, 0 = all)", 0 },
    { 0 },
};

/* --why=OBJECT, or --why OBJECT when the next word is no process: then it cannot be meant as one. */
static void take_why(struct pages_options *pages, struct argp_state *state, const char *arg) {
    pages->why = true;
    bool next = !arg && state->next < state->argc && *state->argv[state->next] && *state->argv[state->next] != '-';
    if (next) {
        char *linker = find_ldso_quietly();
        next = !is_process(state->argv[state->next], linker);
        free(linker);
    }
    if (next)
        arg = state->argv[state->next];
    if (!arg)
        return;
    why_choice_free(&pages->why_object);
    if (!why_parse(arg, &pages->why_object))
        argp_error(state, "--why needs an object, not '%s'", arg);
    state->next += next;
}

static error_t parse_option(int key, char *arg, struct argp_state *state) {
    struct pages_options *pages = state->input;
    switch (key) {
    case 'a': pages->all = true; return 0;
    case KEY_JSON: pages->json = true; return 0;
    case KEY_WHY: take_why(pages, state, arg); return 0;
    case 'n': {
        char *end;
        errno = 0;
        unsigned long value = strtoul(arg, &end, 10);
        if (errno || *end || end == arg || *arg == '-')
            argp_error(state, "--top needs a number, not '%s'", arg);
        pages->top = value;
        pages->top_given = true;
        return 0;
    }
    case ARGP_KEY_ARGS:
        pages->words = state->argv + state->next;
        pages->word_count = (size_t)(state->argc - state->next);
        return 0;
    case ARGP_KEY_END:
        if (pages->all && pages->word_count)
            argp_error(state, "--all and names or PIDs exclude each other");
        for (size_t i = 0; i < pages->word_count; i++)
            if (!*pages->words[i])
                argp_error(state, "an empty word names no process");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    options, parse_option, "[PID|NAME...]",
    "Show the physical pages that processes share: per object and segment, exact, from the kernel's page tables.\v"
    "Without PID or NAME: every process that runs on ld-ldr.so. NAME is a command name, a program's file name or argv[0]. "
    "Counted are the pages of ELF files (programs and libraries) that are in memory; owners are address spaces, so "
    "processes that share one count once. 'shared' and 'private' are meant among the processes measured.\n"
    "\n"
    "Private copies are told apart by what made them, comparing memory with the file: relocation only, relocation and a later "
    "write, write only, identical to the file (a needless copy). Where memory may not be read the cause is unknown: with "
    "--why that is something missing.\n"
    "\n"
    "As root the frame numbers decide. Others get file identity: exact for pages of files, an upper bound for copies that "
    "fork left shared; the report says so.\n"
    "\n"
    "Exit status: 0 complete and exact, 1 ldr failed, 2 usage, 3 something is missing, unstable or a bound (said on "
    "stderr), 4 no such process.\n"
    "\n"
    "Examples:\n"
    "  ldr pages                              all processes on ld-ldr.so\n"
    "  ldr pages python3 perl                 these, whatever their linker\n"
    "  ldr pages --top 0 $(pgrep -d ' ' nginx)\n"
    "  ldr pages --why python3                and what made their copies private\n"
    "  ldr pages --all --json | jq .totals\n",
    NULL, NULL, NULL,
};

const char *method_name(enum method method) { return method == METHOD_FRAMES ? "pfn" : "file-identity"; }

bool report_is_exact(const struct report *report) {
    const struct collection *c = report->collection;
    return !report->missing && !report->unexamined && !c->unreadable && !c->unstable && !c->shapes_unknown &&
           !c->memory_unchecked && !report->tally->total.unresolved &&
           !(report->why && report->tally->total.causes[CAUSE_UNKNOWN]);
}

struct ordered { size_t index; uint64_t pages; const struct object *object; };

static int compare_objects(const void *a, const void *b) {
    const struct ordered *x = a, *y = b;
    if (x->pages != y->pages)
        return x->pages > y->pages ? -1 : 1;
    int order = strcmp(x->object->path, y->object->path);
    if (order)
        return order;
    if (x->object->dev != y->object->dev)
        return x->object->dev < y->object->dev ? -1 : 1;
    return x->object->ino < y->object->ino ? -1 : 1;
}

size_t *object_order(const struct report *report, size_t *count) {
    const struct snapshot *snapshot = &report->collection->snapshot;
    struct ordered *list = must_alloc(snapshot->object_count, sizeof *list);
    *count = 0;
    for (size_t i = 0; i < snapshot->object_count; i++)
        if (report->tally->objects[i].pages + report->tally->objects[i].swapped)
            list[(*count)++] = (struct ordered){ i, report->tally->objects[i].pages, &snapshot->objects[i] };
    qsort(list, *count, sizeof *list, compare_objects);
    size_t *order = must_alloc(*count, sizeof *order);
    for (size_t i = 0; i < *count; i++)
        order[i] = list[i].index;
    free(list);
    return order;
}

/* Says on stderr what keeps the report from being complete and exact, whatever its format. */
static void warn_of_limits(const struct report *report) {
    const struct collection *collection = report->collection;
    uint64_t unresolved = report->tally->total.unresolved;
    if (collection->unstable)
        warn_ldr("%" PRIu64 " page%s still changed at the last reading: numbers near them may be off", collection->unstable,
                 plural(collection->unstable));
    if (collection->unreadable)
        warn_ldr("%" PRIu64 " process%s left out: page tables not readable (needs CAP_SYS_ADMIN and CAP_DAC_READ_SEARCH, or their user)",
                 collection->unreadable, plural_es(collection->unreadable));
    if (report->unexamined)
        warn_ldr("%" PRIu64 " process%s may not be looked into, so nobody knows whether they run on ld-ldr.so", report->unexamined,
                 plural_es(report->unexamined));
    if (collection->vanished)
        warn_ldr("%" PRIu64 " process%s ended meanwhile and left out", collection->vanished, plural_es(collection->vanished));
    if (collection->shapes_unknown)
        warn_ldr("%" PRIu64 " object%s could not be opened: segments by mapping permissions only", collection->shapes_unknown,
                 plural(collection->shapes_unknown));
    if (collection->memory_unchecked)
        warn_ldr("the kernel does not tell which processes share an address space (kcmp): such would be counted twice");
    if (report->why && collection->memory_unreadable)
        warn_ldr("%" PRIu64 " process%s whose memory may not be read (needs CAP_SYS_PTRACE, or their user): unknown cause for their private pages",
                 collection->memory_unreadable, plural_es(collection->memory_unreadable));
    if (report->why && collection->files_unexplained)
        warn_ldr("%" PRIu64 " object%s whose file could not be opened or read as the linker reads it: unknown cause for their changed pages",
                 collection->files_unexplained, plural(collection->files_unexplained));
    if (report->why && collection->causes_changed)
        warn_ldr("%" PRIu64 " private page%s changed before they were compared with the file: unknown cause",
                 collection->causes_changed, plural(collection->causes_changed));
    if (unresolved)
        warn_ldr("%" PRIu64 " copies are shared with a process that only frame numbers could name: frames and private are upper bounds",
                 unresolved);
}

/* Nothing was left to measure: why? */
static int no_target(const struct pages_options *pages, const struct targets *targets, const struct collection *collection,
                     const char *linker) {
    if (collection->unreadable)
        warn_ldr("none of the %zu process%s can be read: page tables of other users need CAP_SYS_ADMIN and CAP_DAC_READ_SEARCH",
                 targets->count, plural_es(targets->count));
    else if (collection->vanished)
        warn_ldr("all %" PRIu64 " processes ended before they could be measured", collection->vanished);
    else if (!pages->word_count && !pages->all)
        warn_ldr("no process runs on %s%s; name processes to measure them whatever their linker", linker ? linker : "ld-ldr.so",
                 targets->unexamined ? " (among those that may be examined)" : "");
    return LDR_EXIT_NO_TARGET;
}

int cmd_pages(int argc, char **argv) {
    struct pages_options pages = { .top = KEY_TOP_DEFAULT };
    argp_err_exit_status = LDR_EXIT_USAGE;
    if (argp_parse(&argp, argc, argv, 0, NULL, &pages) != 0)
        return LDR_EXIT_USAGE;

    char *linker = find_ldso_quietly();
    struct target_choice choice = { pages.words, pages.word_count, pages.all, linker };
    struct targets targets;
    struct collection collection;
    choose_targets(&choice, &targets);
    collect(&targets, &collection);

    int status;
    if (collection.snapshot.owner_count == 0) {
        status = no_target(&pages, &targets, &collection, linker);
    } else {
        struct tally tally;
        tally_make(&tally, &collection.snapshot);
        struct report report = {
            .collection = &collection, .tally = &tally, .missing = targets.missing, .unexamined = targets.unexamined,
            .which = pages.word_count ? "chosen " : "", .where = pages.word_count || pages.all ? "" : " on ld-ldr.so",
            .top = pages.top, .why = pages.why,
        };
        report.exact = report_is_exact(&report);
        if (pages.why_object.object) {
            report.why = false; /* causes of other objects' pages are nothing that this report misses */
            pages.why_object.top = pages.top_given ? pages.top : SIZE_MAX;
            pages.why_object.json = pages.json;
            status = why_report(&collection, &pages.why_object, report_is_exact(&report));
        } else {
            if (pages.json)
                report_json(&report);
            else
                report_text(&report);
            status = report.exact ? LDR_EXIT_OK : LDR_EXIT_PARTIAL;
        }
        fflush(stdout);
        warn_of_limits(&report);
        tally_free(&tally);
    }
    collection_free(&collection);
    targets_free(&targets);
    why_choice_free(&pages.why_object);
    free(linker);
    return status;
}
