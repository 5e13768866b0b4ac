/* report_limits.c - what keeps a report from being complete and exact: one list, for the exit status, the lines on standard error and
 * JSON, so that no report is inexact without a reason that can be read. */
#include "host/rights.h"
#include "ldr.h"
#include "report.h"
#include "views/views.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { PIDS_NAMED = 4, OBJECTS_NAMED = 3 };

/* A number of things that are not as they should be. */
struct limit {
    const char *key;     /* in JSON; NULL: it is part of the totals there */
    uint64_t count;
    const char *noun, *ending; /* "process", "es" */
    const char *text;    /* after the number and the noun */
    int left;            /* enum left_why: its PIDs are named; -1 none */
    bool harmless;       /* said, but every number holds */
    bool flag;           /* true or false, and TEXT is all of the line */
    bool (*is_of)(const struct object *object); /* NULL, or whether it is of this object: the first of these are named */
};

enum { LIMITS_MAX = 20 };

/* Parts of the texts that depend on who asks. */
struct limit_words { char *refused, *unreadable, *unread_memory, *approximate; };

static bool is_headerless(const struct object *object) { return object->kind == OBJECT_ELF && !object->shape.known; }
static bool is_unexplained(const struct object *object) { return object->unexplained; }

/* Why the first was refused: the others' reason is nearly always the same. */
static char *refusal(const struct targets *targets) {
    int error = 0;
    for (size_t i = 0; i < targets->left_count && !error; i++)
        if (targets->left[i].why == LEFT_UNOPENED)
            error = targets->left[i].error;
    if (!error)
        return must_format("left out: could not be opened");
    struct rlimit limit;
    if (error == -EMFILE && getrlimit(RLIMIT_NOFILE, &limit) == 0)
        return must_format("left out: too many open files (the limit is %ju: ulimit -Hn)", (uintmax_t)limit.rlim_cur);
    return must_format("left out: %s", strerror(-error));
}

static void limit_words_make(struct limit_words *words, const struct report *report) {
    bool now = !report->cached; /* a kept report was made by others, who knows with which rights */
    char *tables = rights_needed(RIGHT_PAGE_TABLES, now), *memory = rights_needed(RIGHT_MEMORY, now);
    words->refused = refusal(report->targets);
    words->unreadable = must_format("left out: page tables not readable (%s)", tables);
    words->unread_memory = must_format("whose memory may not be read (%s): unknown cause for private pages there", memory);
    words->approximate = must_format("approximate: page tables may not be read (%s), and smaps says of each mapping how many pages, not which", tables);
    free(tables);
    free(memory);
}

static void limit_words_free(struct limit_words *words) {
    free(words->refused);
    free(words->unreadable);
    free(words->unread_memory);
    free(words->approximate);
}

/* WORDS are {0} for those who want the numbers only. */
static size_t list_limits(const struct report *report, struct limit list[LIMITS_MAX], const struct limit_words *words) {
    const struct collection *c = report->collection;
    const struct targets *targets = report->targets;
    bool unknown = report->causes && report->tally->total.causes[CAUSE_UNKNOWN];
    const struct limit all[] = {
        { "unstable", c->unstable, "page", "s", "still changed at the last reading: numbers near them may be off", -1, false, false, NULL },
        { "unreadable", targets->left_by[LEFT_UNREADABLE], "process", "es",
          words->unreadable, LEFT_UNREADABLE, false, false, NULL },
        { "unexamined", targets->left_by[LEFT_UNEXAMINED], "process", "es",
          "may not be looked into: whether on ld-ldr.so is not known", LEFT_UNEXAMINED, false, false, NULL },
        { "unopened", targets->left_by[LEFT_UNOPENED], "process", "es", words->refused, LEFT_UNOPENED, false, false, NULL },
        { "missing", targets->missing, NULL, NULL, NULL, -1, false, false, NULL }, /* said by who looked for them */
        { "vanished", targets->left_by[LEFT_VANISHED], "process", "es", "ended meanwhile and left out", LEFT_VANISHED, true, false, NULL },
        { "headers_unread", c->shapes_unknown, "object", "s", "could not be opened: segments by mapping permissions only", -1, false, false, is_headerless },
        { "memory_unreadable", report->causes ? c->memory_unreadable : 0, "process", "es",
          words->unread_memory, -1, !unknown, false, NULL },
        { "files_unexplained", report->causes ? c->files_unexplained : 0, "object", "s",
          "whose file could not be opened or read as the linker reads it: unknown cause for changed pages", -1, !unknown, false, is_unexplained },
        { "causes_changed", report->causes ? c->causes_changed : 0, "private page", "s", "changed before they were compared with the file: unknown cause", -1, !unknown, false, NULL },
        { "memory_unchecked", c->memory_unchecked, NULL, NULL,
          "the kernel does not tell which processes share an address space (kcmp): such would be counted twice", -1, false, true, NULL },
        { "merged_unknown", c->merged_unknown, NULL, NULL,
          "KSM has merged pages, and which of them may not be seen (/proc/kpageflags needs CAP_DAC_READ_SEARCH): they count as inherited by fork",
          -1, false, true, NULL },
        { "counts_differ", c->disagreeing, "process", "es",
          "of which the kernel counts other resident or swapped pages than were found, though nothing changed", -1, false, false, NULL },
        { "markers", c->markers, "page", "s", "in swap or only a marker of userfaultfd: frame numbers would tell", -1, false, false, NULL },
        { "identity_unsure", c->identity_unsure, "object", "s",
          "with the inode and content of another under another device (overlay mounts?): if they are one file, more is shared than was counted",
          -1, false, false, NULL },
        { "swap_unnamed", c->swap_unnamed, "page", "s",
          "in swap, of several processes: whether in the same slots only frame numbers could tell", -1, false, false, NULL },
        { NULL, c->snapshot.method == METHOD_SMAPS, NULL, NULL,
          words->approximate, -1, false, true, NULL },
        { NULL, report->tally->total.unresolved, "cop", NULL,
          "are shared with a process that only frame numbers could name: frames and private are upper bounds", -1, false, false, NULL },
    };
    _Static_assert(sizeof all / sizeof all[0] <= LIMITS_MAX, "room for all");
    memcpy(list, all, sizeof all);
    return sizeof all / sizeof all[0];
}

bool report_is_exact(const struct report *report) {
    struct limit list[LIMITS_MAX];
    size_t count = list_limits(report, list, &(struct limit_words){ 0 });
    for (size_t i = 0; i < count; i++)
        if (list[i].count && !list[i].harmless)
            return false;
    return !(report->causes && report->tally->total.causes[CAUSE_UNKNOWN]);
}

/* The first PIDs of those left out, and how many more. */
static void left_pids(const struct targets *targets, enum left_why why, FILE *out) {
    size_t named = 0;
    for (size_t i = 0; i < targets->left_count; i++)
        if (targets->left[i].why == why && named++ < PIDS_NAMED)
            fprintf(out, "%s%d", named > 1 ? ", " : "", (int)targets->left[i].pid);
    if (named > PIDS_NAMED)
        fprintf(out, " and %zu more", named - PIDS_NAMED);
}

/* The first objects of these, and how many more. */
static void limited_objects(const struct report *report, const struct limit *limit, FILE *out) {
    const struct snapshot *snapshot = &report->collection->snapshot;
    size_t named = 0;
    for (size_t i = 0; i < snapshot->object_count; i++)
        if (limit->is_of(&snapshot->objects[i]) && named++ < OBJECTS_NAMED) {
            char *name = object_name(report, i, true);
            fprintf(out, "%s%s", named > 1 ? ", " : "", name);
            free(name);
        }
    if (named > OBJECTS_NAMED)
        fprintf(out, " and %zu more", named - OBJECTS_NAMED);
}

static void say(const struct report *report, const struct limit *limit) {
    char *which = NULL;
    size_t len;
    if (limit->flag) {
        warn_ldr("%s", limit->text);
        return;
    }
    FILE *out = limit->left >= 0 || (limit->is_of && !report->cached) ? open_memstream(&which, &len) : NULL;
    if (out) {
        if (limit->is_of)
            limited_objects(report, limit, out);
        else
            left_pids(report->targets, (enum left_why)limit->left, out);
        fclose(out);
    }
    const char *ending = limit->ending ? limit->count == 1 ? "" : limit->ending : limit->count == 1 ? "y" : "ies";
    warn_ldr("%" PRIu64 " %s%s%s%s%s %s", limit->count, limit->noun, ending, which ? " (" : "", which ? which : "", which ? ")" : "", limit->text);
    free(which);
}

void report_say_limits(const struct report *report) {
    struct limit list[LIMITS_MAX];
    struct limit_words words;
    limit_words_make(&words, report);
    size_t count = list_limits(report, list, &words);
    for (size_t i = 0; i < count; i++)
        if (list[i].count && list[i].text)
            say(report, &list[i]);
    limit_words_free(&words);
}

static const char *const whys[] = { [LEFT_UNREADABLE] = "unreadable", [LEFT_UNEXAMINED] = "unexamined", [LEFT_UNOPENED] = "unopened", [LEFT_VANISHED] = "vanished" };

void report_put_limits(const struct report *report, struct json_object *to) {
    struct limit list[LIMITS_MAX];
    size_t count = list_limits(report, list, &(struct limit_words){ 0 });
    for (size_t i = 0; i < count; i++)
        if (list[i].key)
            json_object_object_add(to, list[i].key, list[i].flag ? json_object_new_boolean(list[i].count != 0) : json_object_new_uint64(list[i].count));
    struct json_object *left = json_object_new_array();
    for (size_t i = 0; i < report->targets->left_count; i++) {
        struct json_object *process = json_object_new_object();
        json_object_object_add(process, "pid", json_object_new_int(report->targets->left[i].pid));
        json_object_object_add(process, "why", json_object_new_string(whys[report->targets->left[i].why]));
        json_object_array_add(left, process);
    }
    json_object_object_add(to, "left_out", left);
}

void report_take_limits(const struct json_object *document, struct collection *collection, struct targets *targets) {
    const struct { const char *key; uint64_t *count; } counts[] = {
        { "unstable", &collection->unstable }, { "headers_unread", &collection->shapes_unknown }, { "missing", &targets->missing },
        { "memory_unreadable", &collection->memory_unreadable }, { "files_unexplained", &collection->files_unexplained },
        { "causes_changed", &collection->causes_changed }, { "counts_differ", &collection->disagreeing }, { "markers", &collection->markers },
        { "identity_unsure", &collection->identity_unsure }, { "swap_unnamed", &collection->swap_unnamed },
    };
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        *counts[i].count = member_count(document, counts[i].key);
    collection->memory_unchecked = member_flag(document, "memory_unchecked");
    collection->merged_unknown = member_flag(document, "merged_unknown");
    for (size_t why = 0; why < LEFT_WHYS; why++)
        targets->left_by[why] = member_count(document, whys[why]);
    struct json_object *left = member_list(document, "left_out");
    targets->left = must_alloc(list_length(left) + 1, sizeof *targets->left);
    for (size_t i = 0; i < list_length(left); i++)
        for (size_t why = 0; why < LEFT_WHYS; why++)
            if (strcmp(member_text(list_item(left, i), "why"), whys[why]) == 0)
                targets->left[targets->left_count++] = (struct left_out){ (pid_t)member_count(list_item(left, i), "pid"), (enum left_why)why, 0 };
}
