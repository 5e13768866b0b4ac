/* diff.c - `ldr pages diff`: what changed between two reports, object by object.
 *
 * Objects are the same when their paths are; files of one path (a library that was replaced while old processes still map
 * the old one) are summed, since their pages are different pages. Numbers of the whole come from the reports' totals.
 */
#include "diff.h"
#include "../ldr.h"
#include "table.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

enum { SCHEMA_VERSION = 1, TOP_DEFAULT = 10 };
const char *const side_names[SIDES] = { "before", "after" };

/* ---- options ---- */

struct diff_options {
    char *files[SIDES];
    size_t file_count;
    long numbers[SIDES]; /* 0: not given */
    bool json;
    size_t top;
    struct diff_columns columns;
};

enum { KEY_JSON = 256, KEY_BEFORE, KEY_AFTER, KEY_COLUMNS };

static const struct argp_option options[] = {
    { "before", KEY_BEFORE, "N", 0, "The Nth report of BEFORE, or from the end: -1 the last", 0 },
    { "after", KEY_AFTER, "N", 0, "The same of AFTER", 0 },
    { "json", KEY_JSON, NULL, 0, "JSON instead of text: all objects, the unchanged ones too", 0 },
    { "top", 'n', "N", 0, "List the N objects with the largest changes, the others as one (default 10, 0 = all)", 0 },
    { "columns", KEY_COLUMNS, "LIST", 0, "Columns of the table, names as ldr pages has them (ldr pages --help), but procs and share", 0 },
    { 0 },
};

static error_t parse_option(int key, char *arg, struct argp_state *state) {
    struct diff_options *diff = state->input;
    char *end;
    errno = 0;
    switch (key) {
    case KEY_JSON: diff->json = true; return 0;
    case KEY_BEFORE:
    case KEY_AFTER: {
        long number = strtol(arg, &end, 10);
        if (errno || *end || end == arg || number == 0)
            argp_error(state, "--%s needs a number, 1 the first or -1 the last, not '%s'",
                       key == KEY_BEFORE ? "before" : "after", arg);
        diff->numbers[key == KEY_BEFORE ? BEFORE : AFTER] = number;
        return 0;
    }
    case KEY_COLUMNS: {
        char *wrong = diff_columns_parse(arg, &diff->columns);
        if (wrong)
            argp_error(state, "--columns: %s", wrong);
        return 0;
    }
    case 'n':
        diff->top = strtoul(arg, &end, 10);
        if (errno || *end || end == arg || *arg == '-')
            argp_error(state, "--top needs a number, not '%s'", arg);
        return 0;
    case ARGP_KEY_ARG:
        if (diff->file_count == SIDES)
            argp_error(state, "two files are compared, '%s' is one more", arg);
        diff->files[diff->file_count++] = arg;
        return 0;
    case ARGP_KEY_END:
        if (diff->json && diff->columns.count)
            argp_error(state, "--columns is of the text; --json has all");
        if (diff->file_count == 0)
            argp_error(state, "name the recordings to compare, or one of which the first report and the last are");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    options, parse_option, "BEFORE [AFTER]",
    "Compare two reports of ldr pages, object by object: pages, frames and private copies by what made them.\v"
    "BEFORE and AFTER are files made by --record or by --json; the last report of each is taken. Of one file alone, the first "
    "report and the last. - is standard input.\n"
    "\n"
    "Exit status: 0 both reports are complete and exact, 1 ldr failed (a file cannot be read or holds no valid report, or the two are of different --scope), 2 usage, 3 "
    "one of the reports is not exact, or a broken one was passed over, 4 a file without a report.\n"
    "\n"
    "Examples:\n"
    "  ldr pages --record day.jsonl --interval 60 nginx\n"
    "  ldr pages diff day.jsonl                        since the first report\n"
    "  ldr pages --record system.jsonl python3; ldr pages --record ours.jsonl\n"
    "  ldr pages diff system.jsonl ours.jsonl          the same programs under two linkers\n",
    NULL, NULL, NULL,
};

/* ---- two documents into numbers ---- */

static void add_numbers(struct numbers *to, const struct json_object *from) {
    to->processes = count_sum(to->processes, member_count(from, "processes"));
    for (size_t i = 0; i < COUNT_NAMES; i++)
        to->counts[i] = count_sum(to->counts[i], member_count(from, count_names[i]));
}

void merge_numbers(struct numbers *to, const struct numbers *from) {
    for (size_t i = 0; i < COUNT_NAMES; i++)
        to->counts[i] = count_sum(to->counts[i], from->counts[i]);
}

static int compare_paths(const void *a, const void *b) {
    return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

static void make_entries(struct diff *diff) {
    struct json_object *lists[SIDES];
    for (int side = 0; side < SIDES; side++)
        lists[side] = member_list(diff->sides[side].document, "objects");
    diff->entries = must_alloc(list_length(lists[BEFORE]) + list_length(lists[AFTER]), sizeof *diff->entries);
    size_t all = 0;
    for (int side = 0; side < SIDES; side++)
        for (size_t i = 0; i < list_length(lists[side]); i++) {
            struct entry *entry = &diff->entries[all++];
            entry->path = member_text(list_item(lists[side], i), "path");
            entry->there[side] = true;
            add_numbers(&entry->numbers[side], list_item(lists[side], i));
        }
    qsort(diff->entries, all, sizeof *diff->entries, compare_paths);
    for (size_t i = 0; i < all; i++) {
        struct entry *entry = &diff->entries[i], *last = diff->count ? &diff->entries[diff->count - 1] : NULL;
        if (!last || strcmp(last->path, entry->path) != 0) {
            diff->entries[diff->count++] = *entry;
            continue;
        }
        for (int side = 0; side < SIDES; side++) {
            /* processes with both files of one path may be the same ones: the larger number is known to be true */
            if (entry->numbers[side].processes > last->numbers[side].processes)
                last->numbers[side].processes = entry->numbers[side].processes;
            merge_numbers(&last->numbers[side], &entry->numbers[side]);
            last->there[side] |= entry->there[side];
        }
    }
    for (int side = 0; side < SIDES; side++)
        add_numbers(&diff->totals[side], member_object(diff->sides[side].document, "totals"));
}

static uint64_t processes_with(const struct json_object *document, const char *name) {
    struct json_object *objects = member_list(document, "objects");
    uint64_t most = 0;
    for (size_t i = 0; i < list_length(objects); i++) {
        const struct json_object *object = list_item(objects, i);
        if (strcmp(file_name(member_text(object, "path")), name) == 0 && member_count(object, "processes") > most)
            most = member_count(object, "processes");
    }
    return most;
}

/* Which linker the processes run on: what differs when runs under two linkers are compared. A process on ld-ldr.so has the
 * system's linker mapped too, because libc names it as needed; so only those without ld-ldr.so run on it. */
static char *find_linkers(const struct json_object *document) {
    uint64_t all = member_count(member_object(document, "totals"), "processes");
    uint64_t ours = processes_with(document, "ld-ldr.so");
    if (ours == 0)
        return must_format("%s", processes_with(document, "ld-linux-x86-64.so.2") ? "ld-linux-x86-64.so.2" : "");
    return ours == all ? must_format("ld-ldr.so") : must_format("ld-ldr.so (%" PRIu64 " of %" PRIu64 ")", ours, all);
}

/* LDR_EXIT_OK or why there is no report. */
static int read_side(struct side *side, const struct recording *recording, long number) {
    side->file = recording->path;
    side->reports = recording->count;
    side->document = recording_read(recording, number, &side->broken);
    if (number < 0)
        number += (long)recording->count + 1;
    side->number = side->broken ? number - 1 : number;
    if (!side->document)
        return side->reports ? LDR_EXIT_FAILED : LDR_EXIT_NO_TARGET;
    side->linkers = find_linkers(side->document);
    return LDR_EXIT_OK;
}

/* Mappings of programs alone and all mappings are not two states of one thing. */
static bool scopes_agree(const struct diff *diff) {
    const char *scopes[SIDES];
    for (int i = 0; i < SIDES; i++) {
        scopes[i] = member_text(diff->sides[i].document, "scope");
        scopes[i] = *scopes[i] ? scopes[i] : "elf";
    }
    if (strcmp(scopes[BEFORE], scopes[AFTER]) == 0)
        return true;
    char *clean[SIDES] = { clean_text(scopes[BEFORE]), clean_text(scopes[AFTER]) };
    warn_ldr("the reports cannot be compared: before is of --scope %s, after of --scope %s", clean[BEFORE], clean[AFTER]);
    free(clean[BEFORE]);
    free(clean[AFTER]);
    return false;
}

bool is_changed(const struct entry *entry) {
    if (entry->there[BEFORE] != entry->there[AFTER] || entry->numbers[BEFORE].processes != entry->numbers[AFTER].processes)
        return true;
    for (size_t i = 0; i < COUNT_NAMES; i++)
        if (change_of(entry->numbers, i))
            return true;
    return false;
}

/* ---- JSON ---- */

static struct json_object *numbers_json(const struct numbers *numbers) {
    struct json_object *to = json_object_new_object();
    json_object_object_add(to, "processes", json_object_new_uint64(numbers->processes));
    for (size_t i = 0; i < COUNT_NAMES; i++)
        json_object_object_add(to, count_names[i], json_object_new_uint64(numbers->counts[i]));
    return to;
}

static void put_three(struct json_object *to, const struct numbers numbers[SIDES], const bool there[SIDES]) {
    for (int side = 0; side < SIDES; side++)
        json_object_object_add(to, side_names[side], there[side] ? numbers_json(&numbers[side]) : NULL);
    struct json_object *change = json_object_new_object();
    json_object_object_add(change, "processes",
                           json_object_new_int64((int64_t)numbers[AFTER].processes - (int64_t)numbers[BEFORE].processes));
    for (size_t i = 0; i < COUNT_NAMES; i++)
        json_object_object_add(change, count_names[i], json_object_new_int64(change_of(numbers, i)));
    json_object_object_add(to, "change", change);
}

static void print_json(const struct diff *diff) {
    const bool both[SIDES] = { true, true };
    struct json_object *root = json_object_new_object(), *totals = json_object_new_object(), *objects = json_object_new_array();
    json_object_object_add(root, "schema", json_object_new_string("ldr-pages-diff"));
    json_object_object_add(root, "schema_version", json_object_new_int(SCHEMA_VERSION));
    for (int i = 0; i < SIDES; i++) {
        const struct side *side = &diff->sides[i];
        struct json_object *to = json_object_new_object();
        char *file = text_utf8(side->file);
        json_object_object_add(to, "file", json_object_new_string(file));
        free(file);
        json_object_object_add(to, "report", json_object_new_int64(side->number));
        json_object_object_add(to, "reports", json_object_new_uint64(side->reports));
        json_object_object_add(to, "time", json_object_new_string(member_text(side->document, "time")));
        json_object_object_add(to, "method", json_object_new_string(member_text(side->document, "method")));
        json_object_object_add(to, "exact", json_object_new_boolean(member_flag(side->document, "exact")));
        json_object_object_add(to, "linkers", json_object_new_string(side->linkers));
        json_object_object_add(root, side_names[i], to);
    }
    put_three(totals, diff->totals, both);
    json_object_object_add(root, "totals", totals);
    for (size_t i = 0; i < diff->count; i++) {
        struct json_object *object = json_object_new_object();
        json_object_object_add(object, "path", json_object_new_string(diff->entries[i].path));
        json_object_object_add(object, "changed", json_object_new_boolean(is_changed(&diff->entries[i])));
        put_three(object, diff->entries[i].numbers, diff->entries[i].there);
        json_object_array_add(objects, object);
    }
    json_object_object_add(root, "objects", objects);
    puts(json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(root);
}

/* ---- the command ---- */

static void warn_of_differences(const struct diff *diff) {
    const struct json_object *before = diff->sides[BEFORE].document, *after = diff->sides[AFTER].document;
    if (strcmp(member_text(before, "method"), member_text(after, "method")) != 0)
        warn_ldr("methods differ: %s before, %s after", member_text(before, "method"), member_text(after, "method"));
    if (member_count(before, "page_bytes") != member_count(after, "page_bytes"))
        warn_ldr("pages of %" PRIu64 " bytes before, of %" PRIu64 " after", member_count(before, "page_bytes"),
                 member_count(after, "page_bytes"));
    if (diff->totals[BEFORE].processes != diff->totals[AFTER].processes)
        warn_ldr("%" PRIu64 " processes before, %" PRIu64 " after: numbers grow with processes", diff->totals[BEFORE].processes,
                 diff->totals[AFTER].processes);
}

int pages_diff(int argc, char **argv) {
    struct diff_options wanted = { .top = TOP_DEFAULT };
    char *name = must_format("ldr pages diff");
    argv[0] = name;
    name_command(name);
    argp_parse(&argp, argc, argv, 0, NULL, &wanted);
    struct diff diff = { 0 };
    /* One file is opened once: it may be a pipe. */
    struct recording recordings[SIDES];
    size_t opened = 0;
    while (opened < wanted.file_count && recording_open(&recordings[opened], wanted.files[opened]))
        opened++;
    int status = opened == wanted.file_count ? LDR_EXIT_OK : LDR_EXIT_FAILED;
    for (size_t i = 0; i < SIDES && status == LDR_EXIT_OK; i++) {
        long usual = i == BEFORE && opened == 1 ? 1 : -1;
        status = read_side(&diff.sides[i], &recordings[opened == 1 ? 0 : i], wanted.numbers[i] ? wanted.numbers[i] : usual);
    }
    if (status == LDR_EXIT_OK && !scopes_agree(&diff))
        status = LDR_EXIT_FAILED;
    if (status == LDR_EXIT_OK) {
        make_entries(&diff);
        if (wanted.json) {
            print_json(&diff);
        } else {
            diff_print(&diff, &wanted.columns, wanted.top);
        }
        fflush(stdout);
        warn_of_differences(&diff);
        for (int i = 0; i < SIDES; i++)
            if (diff.sides[i].broken || !member_flag(diff.sides[i].document, "exact"))
                status = LDR_EXIT_PARTIAL;
    }
    for (int i = 0; i < SIDES; i++) {
        json_object_put(diff.sides[i].document);
        free(diff.sides[i].linkers);
    }
    while (opened > 0)
        recording_close(&recordings[--opened]);
    free(diff.entries);
    name_command("ldr pages");
    free(name);
    return status;
}
