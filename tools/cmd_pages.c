/* cmd_pages.c - `ldr pages`: which physical pages do these processes share? */
#include "guard.h"
#include "host/collect.h"
#include "host/ldso.h"
#include "host/rights.h"
#include "ldr.h"
#include "progress.h"
#include "report.h"
#include "views/table.h"
#include "views/views.h"
#include "why/why.h"

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

struct pages_options {
    char **words;
    size_t word_count;
    bool all, why, map, top_given, scope_given;
    enum scope scope;
    pid_t *roots; /* of --children */
    size_t root_count;
    bool by_user;
    uid_t user;
    bool sharing, segments;
    const char *object; /* of --pages */
    struct column_choice columns; /* count 0: the usual ones */
    size_t top, sort;
    struct view_options views;
    const char *writers;
    struct why_choice why_object; /* .object NULL: not asked */
};

enum { KEY_WHY = 256, KEY_WRITERS, KEY_MAP, KEY_SCOPE, KEY_CHILDREN, KEY_PAGES, KEY_SHARING, KEY_COLUMNS, KEY_SORT, KEY_SEGMENTS };

static const struct argp_option options[] = {
    { "all", 'a', NULL, 0, "Every process, whatever its linker", 0 },
    { "user", 'u', "USER", 0, "Every process of the user (name or number)", 0 },
    { "children", KEY_CHILDREN, "PID", 0, "The process PID and all that descend from it; may be given again", 0 },
    { "sharing", KEY_SHARING, NULL, 0, "Under the table: frames by number of processes, and the pairs of processes that share most", 0 },
    { "pages", KEY_PAGES, "OBJECT", 0, "The page table of the object (path, or its last part; [anonymous] too) in every process", 0 },
    { "scope", KEY_SCOPE, "elf|all", 0, "Mappings of programs and libraries (elf), or every mapping (all)", 0 },
    { "map", KEY_MAP, NULL, 0, "With --json or --record: every segment page by page (the page of --html has it anyway)", 0 },
    { "why", KEY_WHY, "OBJECT[:SECTION|PAGE]", OPTION_ARG_OPTIONAL,
      "What made pages private: in the table, columns reloc, reloc+write, write and identical. With OBJECT: its private pages, "
      "the relocations on them, the variables that were written, and what could be won", 0 },
    { "writers", KEY_WRITERS, "FILE", 0, "With --why=OBJECT: the record of ldr run --watch-writes, to name who made each page private", 0 },
    { "top", 'n', "N", 0, "List the N objects with most mapped pages, the others as one (default: as many as fit on a screen; 0 = all)", 0 },
    { "segments", KEY_SEGMENTS, NULL, 0, "Each object's segments (code, constants, RELRO, data) on lines of their own", 0 },
    { "columns", KEY_COLUMNS, "LIST", 0,
      "Columns of the table, with commas between: procs mapped frames shared copies alone private reloc reloc+write write identical "
      "unknown memory avoided again swapped images sharable twice share", 0 },
    { "sort", KEY_SORT, "COLUMN", 0, "Objects by this column, the largest first, or by name (path)", 0 },
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

/* The names of the machine's own list of users: a static program cannot ask other sources. */
static bool find_user(const char *name, uid_t *user) {
    char *end;
    errno = 0;
    unsigned long number = strtoul(name, &end, 10);
    if (*name >= '0' && *name <= '9' && !*end && !errno && number <= UINT32_MAX) {
        *user = (uid_t)number;
        return true;
    }
    FILE *list = fopen("/etc/passwd", "re");
    bool found = false;
    for (struct passwd *entry; list && !found && (entry = fgetpwent(list)); )
        if (strcmp(entry->pw_name, name) == 0) {
            *user = entry->pw_uid;
            found = true;
        }
    if (list)
        fclose(list);
    return found;
}

/* Options that have no effect beside others are refused: whoever wrote them expects one. */
static void check_together(struct pages_options *pages, struct argp_state *state) {
    const struct view_options *views = &pages->views;
    bool chosen = pages->word_count || pages->root_count || pages->by_user, story = pages->why_object.object != NULL;
    bool files = views->csv != CSV_NONE || views->html || views->openmetrics || views->record;
    /* of the table, which these two have not */
    bool table = pages->sharing || pages->segments || pages->columns.count || pages->sort != COLUMNS || pages->map || files || views->interval_s;
    if (pages->object && (table || pages->why || pages->top_given || views->from))
        argp_error(state, "--pages is a view of its own: only --json and --scope go with it");
    if (story && views->from)
        argp_error(state, "--from shows what was recorded: no --why=OBJECT with it");
    if (story && (table || pages->scope_given))
        argp_error(state, "--why OBJECT is a view of its own: only --json and --top go with it");
    if (!story && views_replace_text(views) && (pages->columns.count || pages->sort != COLUMNS || pages->top_given || pages->segments || pages->sharing))
        argp_error(state, "--columns, --sort, --top, --segments and --sharing are of the text, which is not printed with the views asked for");
    if (views->from && (pages->all || chosen))
        argp_error(state, "--from shows what was recorded: no choice of processes with it");
    if (views->from && (pages->scope_given || pages->map))
        argp_error(state, "--from shows what was recorded: no --scope and no --map with it");
    if (pages->map && !views->json && !views->record)
        argp_error(state, "--map needs --json or --record");
    if (pages->all && chosen)
        argp_error(state, "--all and a choice of processes exclude each other");
    if (pages->writers && !story)
        argp_error(state, "--writers needs --why=OBJECT");
    if (pages->object && *pages->object == '[') /* memory without a file */
        pages->scope = SCOPE_ALL;
    for (size_t i = 0; i < pages->word_count; i++)
        if (!*pages->words[i])
            argp_error(state, "an empty word names no process");
}

static error_t parse_option(int key, char *arg, struct argp_state *state) {
    struct pages_options *pages = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &pages->views; return 0;
    case 'a': pages->all = true; return 0;
    case KEY_WHY: take_why(pages, state, arg); return 0;
    case KEY_MAP: pages->map = true; return 0;
    case KEY_WRITERS: pages->writers = arg; return 0;
    case 'u':
        pages->by_user = true;
        if (!find_user(arg, &pages->user))
            argp_error(state, "no user is called '%s' in /etc/passwd", arg);
        return 0;
    case KEY_CHILDREN: {
        char *end;
        errno = 0;
        long pid = strtol(arg, &end, 10);
        if (errno || *end || end == arg || pid <= 0 || pid > INT32_MAX)
            argp_error(state, "--children needs a PID, not '%s'", arg);
        pages->roots = must_grow(pages->roots, pages->root_count + 1, sizeof *pages->roots);
        pages->roots[pages->root_count++] = (pid_t)pid;
        return 0;
    }
    case KEY_SEGMENTS: pages->segments = true; return 0;
    case KEY_SHARING: pages->sharing = true; return 0;
    case KEY_PAGES: pages->object = arg; return 0;
    case KEY_SCOPE:
        if (strcmp(arg, "all") != 0 && strcmp(arg, "elf") != 0)
            argp_error(state, "--scope is elf or all, not '%s'", arg);
        pages->scope = strcmp(arg, "all") == 0 ? SCOPE_ALL : SCOPE_ELF;
        pages->scope_given = true;
        return 0;
    case KEY_COLUMNS: {
        char *wrong = columns_parse(arg, &pages->columns);
        if (wrong)
            argp_error(state, "--columns: %s (--help lists them)", wrong);
        return 0;
    }
    case KEY_SORT:
        pages->sort = strcmp(arg, "name") == 0 ? COLUMNS + 1 : column_find(arg, strlen(arg));
        if (pages->sort == COLUMNS)
            argp_error(state, "--sort: there is no column '%s' (--help lists them)", arg);
        return 0;
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
    case ARGP_KEY_END: check_together(pages, state); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = { { &views_argp, 0, "Other views of the report, and reports over time:", 0 }, { 0 } };

static const struct argp argp = {
    options, parse_option, "[PID|NAME...]\ndiff [OPTION...] BEFORE [AFTER]",
    "Show the physical pages that processes share: per object and segment, exact, from the kernel's page tables.\v"
    "Without PID or NAME: every process that runs on ld-ldr.so. NAME is a command name, the last part of a program's file name or of argv[0]; with a slash a path. "
    "Counted are the pages of ELF files (programs and libraries) that are in memory; owners are address spaces, so "
    "processes that share one count once; --scope all counts every mapping. 'shared' and 'private' are meant among the processes measured.\n"
    "\n"
    "Private copies are told apart by what made them, comparing memory with the file: relocation only, relocation and a later "
    "write, write only, identical to the file (a needless copy). Where memory may not be read the cause is unknown: with "
    "--why that is something missing.\n"
    "\n"
    "As root the frame numbers decide. Others get file identity: exact for pages of files, an upper bound for copies that "
    "fork left shared; the report says so. Where page tables may not be read and smaps may, that is told, as approximate.\n"
    "\n"
    "With --html, --openmetrics or --record nothing is printed unless --json or --csv asks for it. FILE of the first two may be - for "
    "standard output. See ldr-pages(1).\n"
    "\n"
    "Exit status: 0 complete and exact, 1 ldr failed, 2 usage, 3 something is missing, unstable or a bound (said on "
    "stderr), 4 no such process.\n"
    "\n"
    "Examples:\n"
    "  ldr pages                              all processes on ld-ldr.so\n"
    "  ldr pages python3 perl                 these, whatever their linker\n"
    "  ldr pages --top 0 $(pgrep -d ' ' nginx)\n"
    "  ldr pages --why python3                and what made their copies private\n"
    "  ldr pages --why libcrypto.so.3 nginx   relocations and variables of one library's private pages\n"
    "  ldr pages --why=libcrypto.so.3:.data   one section, or :0xADDRESS one page\n"
    "  ldr pages --all --json | jq .totals\n"
    "  ldr pages --scope all --user postgres  all memory of a user's processes, by class\n"
    "  ldr pages --children $$                what this shell started\n"
    "  ldr pages --pages libz.so.1 nginx      the page table of one library\n"
    "  ldr pages --html report.html nginx\n"
    "  ldr pages --record day.jsonl --interval 60 nginx; ldr pages diff day.jsonl\n",
    children, NULL, NULL,
};

/* Nothing was left to measure: why? And does it go on, because there may be somebody later? */
static void no_target(const struct pages_options *pages, const struct targets *targets, const char *linker, bool goes_on) {
    if (targets->left_by[LEFT_UNREADABLE]) {
        char *rights = rights_needed(RIGHT_PAGE_TABLES, true);
        warn_ldr("%s cannot be read: page tables not readable (%s)", targets->left_by[LEFT_UNREADABLE] == 1 ? "the process" : "the processes", rights);
        free(rights);
    } else if (targets->left_by[LEFT_UNOPENED])
        warn_ldr("no process could be opened, for want of descriptors or memory");
    else if (targets->left_by[LEFT_VANISHED])
        warn_ldr(targets->left_by[LEFT_VANISHED] == 1 ? "the process ended before it could be measured" : "the processes ended before they could be measured");
    else if (pages->by_user && !pages->word_count && !pages->root_count)
        warn_ldr("user %u has no process", (unsigned)pages->user);
    else if (!pages->word_count && !pages->root_count && !pages->all)
        warn_ldr("no process runs on %s%s; name processes to measure them whatever their linker", linker ? linker : "ld-ldr.so",
                 targets->left_by[LEFT_UNEXAMINED] ? " (among those that may be examined)" : "");
    if (goes_on)
        warn_ldr("a report will follow when there is one");
}

/* Before each text of an interval: when it is of. */
static void print_time(bool again) {
    char text[32];
    time_t now = time(NULL);
    struct tm utc;
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    printf("%s%s\n", again ? "\n" : "", text);
}

/* The usual table does without what made pages private, and finding that out would double its time. */
static bool needs_causes(const struct pages_options *pages) {
    bool column = pages->sort < COLUMNS && column_is_cause(pages->sort);
    for (size_t i = 0; i < pages->columns.count; i++)
        column |= column_is_cause(pages->columns.list[i]);
    return column || pages->why || pages->object || pages->scope == SCOPE_ALL || views_replace_text(&pages->views);
}

/* What smaps has no answer for. */
static bool needs_page_tables(const struct pages_options *pages) {
    const struct view_options *views = &pages->views;
    return pages->why || pages->why_object.object || pages->object || pages->map || pages->sharing || pages->columns.count || pages->sort != COLUMNS ||
           views->csv || views->html || views->openmetrics || views->record;
}

static void show_smaps(const struct report *report, const struct view_options *views, bool again) {
    if (views->json) {
        struct json_object *document = report_smaps_document(report);
        views_write(views, document, again);
        json_object_put(document);
        return;
    }
    if (views->interval_s)
        print_time(again);
    report_smaps_text(report);
}

struct request {
    const struct pages_options *pages;
    const char *linker;
    bool said; /* that there is nobody, since the last report */
};

/* One report, in every view that was asked for. An exit status; *stop when there will be no more of the processes named. */
static int report_once(void *context, bool again, bool *stop) {
    struct request *request = context;
    const struct pages_options *pages = request->pages;
    bool chosen = pages->word_count || pages->root_count || pages->by_user;
    struct target_choice choice = { .words = pages->words, .word_count = pages->word_count, .roots = pages->roots,
                                    .root_count = pages->root_count, .by_user = pages->by_user, .user = pages->user,
                                    .all = pages->all, .linker = request->linker };
    struct targets targets;
    struct collection collection;
    progress_start();
    choose_targets(&choice, &targets);
    collect(&targets, pages->scope, needs_causes(pages), &collection);

    int status;
    size_t smaps = targets_with_smaps(&targets);
    if (smaps && !collection.snapshot.owner_count && !needs_page_tables(pages)) {
        collection_free(&collection);
        collect_smaps(&targets, pages->scope, &collection);
    }
    if (collection.snapshot.owner_count == 0) {
        progress_end();
        status = LDR_EXIT_NO_TARGET;
        *stop = chosen && !pages->by_user;
        if (!request->said)
            no_target(pages, &targets, request->linker, pages->views.interval_s && !*stop);
        if (!request->said && smaps && needs_page_tables(pages))
            warn_ldr("smaps can be read, but has an answer only for the table and for --json");
        request->said = true;
    } else {
        struct tally tally;
        tally_make(&tally, &collection.snapshot);
        struct report report = {
            .collection = &collection, .tally = &tally, .targets = &targets, .causes = collection.causes_sought && !pages->why_object.object,
            .which = chosen ? "chosen " : "", .where = chosen || pages->all ? "" : " on ld-ldr.so",
            .columns = pages->columns.count ? &pages->columns : NULL, .sort = pages->sort,
            .top = pages->top, .segments = pages->segments, .why = pages->why, .map = pages->map || pages->views.html,
        };
        report.exact = report_is_exact(&report);
        request->said = false;
        progress_end();
        status = report.exact ? LDR_EXIT_OK : LDR_EXIT_PARTIAL;
        bool found = true;
        if (collection.snapshot.method == METHOD_SMAPS) {
            show_smaps(&report, &pages->views, again);
        } else if (pages->why_object.object) {
            struct why_choice why = pages->why_object;
            why.top = pages->top_given ? pages->top : SIZE_MAX;
            why.json = pages->views.json;
            why.writers = pages->writers;
            status = why_report(&collection, &tally, &why, report.exact);
        } else if (pages->object) {
            found = report_table(&report, pages->object, pages->views.json);
        } else if (views_replace_text(&pages->views)) {
            struct json_object *document = report_document(&report);
            if (pages->views.html)
                json_object_object_add(document, "why", why_listing(&collection, &tally));
            if (!views_write(&pages->views, document, again))
                status = LDR_EXIT_FAILED;
            json_object_put(document);
        } else {
            if (pages->views.interval_s)
                print_time(again);
            /* the time, and the blank line before it */
            report_text(&report, pages->views.interval_s ? 2 : 0);
            if (pages->sharing)
                report_sharing(&report);
        }
        fflush(stdout);
        report_say_limits(&report);
        if (smaps && collection.snapshot.method != METHOD_SMAPS)
            warn_ldr("smaps of %zu of these can be read: named without the others, they are reported from it, approximately", smaps);
        if (!found) {
            status = LDR_EXIT_NO_TARGET;
            warn_ldr("none of the processes maps %s", pages->object);
        }
        tally_free(&tally);
    }
    collection_free(&collection);
    targets_free(&targets);
    return status;
}

/* The text of a report that was kept, after its time. */
static void text_of_kept(void *context, struct json_object *document) {
    const struct pages_options *pages = context;
    struct kept_report kept;
    kept_report_make(&kept, document);
    kept.report.columns = pages->columns.count ? &pages->columns : NULL;
    kept.report.sort = pages->sort;
    kept.report.top = pages->top;
    kept.report.segments = pages->segments;
    kept.report.why = pages->why;
    char *when = clean_text(member_text(document, "time"));
    printf("%s\n", when);
    report_text(&kept.report, 1);
    if (pages->sharing)
        report_sharing(&kept.report);
    fflush(stdout);
    report_say_limits(&kept.report);
    if (kept.targets.missing)
        warn_ldr("%" PRIu64 " that had been named %s not there", kept.targets.missing, kept.targets.missing == 1 ? "was" : "were");
    free(when);
    kept_report_free(&kept);
}

/* Every process that is measured is held open. */
static void raise_descriptors(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int cmd_pages(int argc, char **argv) {
    struct pages_options pages = { .top = TOP_FIT, .sort = COLUMNS };
    argp_err_exit_status = LDR_EXIT_USAGE;
    if (argc > 1 && strcmp(argv[1], "diff") == 0)
        return pages_diff(argc - 1, argv + 1);
    if (argp_parse(&argp, argc, argv, 0, NULL, &pages) != 0)
        return LDR_EXIT_USAGE;
    if (pages.views.from)
        return views_from(&pages.views, text_of_kept, &pages);

    guard_start();
    raise_descriptors();
    use_huge_heap();
    char *linker = find_ldso_quietly();
    struct request request = { .pages = &pages, .linker = linker };
    int status = repeat_reports(&pages.views, report_once, &request);
    free(linker);
    free(pages.roots);
    why_choice_free(&pages.why_object);
    return status;
}
