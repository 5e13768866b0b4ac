/* cmd_check.c - `ldr check`: what is or will be wrong with programs and libraries, without running them. */
#include "explain/check.h"
#include "explain/plain.h"
#include "explain/root.h"
#include "ldr.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct check_options {
    struct explain_options explain;
    char **words;
    size_t word_count;
    enum severity level, fail_on;
    bool level_given, sarif, fail_never;
};

/* Exit statuses beside the common ones: the worst finding. */
enum { EXIT_WARNINGS = 5, EXIT_ERRORS = 6 };
enum { KEY_LEVEL = 256, KEY_SARIF, KEY_FAIL_ON };

static const struct argp_option options[] = {
    { "level", KEY_LEVEL, "error|warning|note", 0, "Show findings of this severity and worse (default: warning)", 0 },
    { "fail-on", KEY_FAIL_ON, "error|warning|note|never", 0, "Exit 0 unless there is a finding of this severity or worse (default: warning)", 0 },
    { "sarif", KEY_SARIF, NULL, 0, "SARIF 2.1.0, for code scanners", 1 },
    { 0 },
};

static enum severity severity_of(struct argp_state *state, const char *word) {
    for (int severity = 0; severity < SEVERITIES; severity++)
        if (strcmp(word, severity_name((enum severity)severity)) == 0)
            return (enum severity)severity;
    argp_error(state, "'%s' is no severity; there are note, warning and error", word);
    return SEVERITY_NOTE;
}

static error_t parse_option(int key, char *arg, struct argp_state *state) {
    struct check_options *check = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &check->explain; return 0;
    case KEY_LEVEL: check->level = severity_of(state, arg); return 0;
    case KEY_FAIL_ON:
        check->fail_never = strcmp(arg, "never") == 0;
        if (!check->fail_never)
            check->fail_on = severity_of(state, arg);
        return 0;
    case KEY_SARIF: check->sarif = true; return 0;
    case ARGP_KEY_ARGS:
        check->words = state->argv + state->next;
        check->word_count = (size_t)(state->argc - state->next);
        return 0;
    case ARGP_KEY_NO_ARGS: argp_error(state, "no program or directory named"); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* ---- what to check ------------------------------------------------------------------------------------------------------ */

struct texts {
    char **list;                      /* malloc'd each */
    size_t count, room;
};
struct targets {
    struct catalog *catalog;
    struct texts paths;               /* what is to be checked */
    struct texts unread;              /* "PATH: why" of what could not be looked into */
    bool unknown;                     /* a word named nothing that can be checked; told already */
};
static struct targets *collecting;    /* nftw has no argument for its callback */

static void add_text(struct texts *texts, char *text) {
    if (texts->count == texts->room)
        texts->list = must_grow(texts->list, texts->room = texts->room * 2 + 64, sizeof *texts->list);
    texts->list[texts->count++] = text;
}

static int compare_texts(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* `from`: the first to be sorted. */
static void sort_texts(struct texts *texts, size_t from) {
    if (texts->count > from)
        qsort(texts->list + from, texts->count - from, sizeof *texts->list, compare_texts);
}

/* What is gone since its directory was read is no longer there to be checked. */
static void add_unread(struct targets *targets, const char *path, int error) {
    if (error != ENOENT)
        add_text(&targets->unread, must_format("%s: %s", path, strerror(error)));
}

/* In a directory only x86-64 files that a linker would load, and broken ones that begin like them; object files and other machines' are none.
 * What cannot be read may be one: `error` is why, or 0. */
static bool is_candidate(const char *path, int *error) {
    Elf64_Ehdr head = { 0 };
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    ssize_t got = fd < 0 ? -1 : read(fd, &head, sizeof head);
    *error = got < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    if (got < SELFMAG || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
        return false;
    if (got < (ssize_t)sizeof head)
        return true;
    /* Other systems' programs are none, as under Linux's own loaders: EI_OSABI says whose. */
    return head.e_ident[EI_CLASS] == ELFCLASS64 && head.e_machine == EM_X86_64 && head.e_ident[EI_OSABI] <= ELFOSABI_GNU && head.e_type != ET_REL && head.e_type != ET_CORE;
}

static int visit(const char *path, const struct stat *st, int kind, struct FTW *ftw) {
    (void)ftw;
    int error = kind == FTW_DNR || kind == FTW_NS ? errno : 0;
    if (kind == FTW_F && S_ISREG(st->st_mode) && st->st_size && is_candidate(path, &error))
        add_text(&collecting->paths, catalog_inside(collecting->catalog, path));
    if (error)
        add_unread(collecting, path, error);
    return 0;
}

/* A debug file has the headers of its program and none of its contents: nothing to link. */
static bool is_debug_file(const struct library_file *file) {
    const struct image *image = &file->image;
    if (!file->defect.code && image->dyn_vaddr)
        return false;
    for (u16 i = 0; i < image->phnum; i++)
        if (image->phdr[i].p_type == PT_DYNAMIC || image->phdr[i].p_type == PT_INTERP)
            return image->phdr[i].p_filesz == 0 || !view_at(&file->view, image->phdr[i].p_vaddr, 1);
    return false;
}

static void collect_directory(struct targets *targets, const char *path) {
    size_t before = targets->paths.count;
    collecting = targets;
    if (nftw(path, visit, 32, FTW_PHYS) != 0)
        add_unread(targets, path, errno);
    sort_texts(&targets->paths, before);
}

/* A file by its name, which must be there; errors are said here. */
static void collect_file(struct targets *targets, const char *word) {
    const struct library_file *file;
    char *path = explain_root(targets->catalog, word);
    int error = path ? catalog_file(targets->catalog, path, &file) : 0;
    if (path && !error) {
        add_text(&targets->paths, path);
        return;
    }
    targets->unknown = true;
    if (path) {
        char *why = explain_failure(error, NULL);
        warn_ldr("%s: %s", path, why);
        free(why);
        free(path);
    }
}

static void collect(struct targets *targets, const struct check_options *check) {
    const char *root = catalog_sysroot(targets->catalog);
    for (size_t i = 0; i < check->word_count; i++) {
        const char *word = check->words[i];
        struct stat st;
        char *outside = must_format("%s", word);
        if (root && stat(word, &st) != 0) {
            free(outside);
            outside = must_format("%s/%s", root, word);
        }
        if (stat(outside, &st) == 0 && S_ISDIR(st.st_mode))
            collect_directory(targets, outside);
        else
            collect_file(targets, word);
        free(outside);
    }
}

enum { UNREAD_TOLD = 8 };

static void tell_unread(struct targets *targets) {
    struct texts *unread = &targets->unread;
    sort_texts(unread, 0);
    for (size_t i = 0; i < unread->count && i < UNREAD_TOLD; i++)
        warn_ldr("%s", unread->list[i]);
    if (unread->count > UNREAD_TOLD)
        warn_ldr("... and %zu more that cannot be looked into", unread->count - UNREAD_TOLD);
}

/* ---- in parallel -------------------------------------------------------------------------------------------------------- */

struct work {
    const struct targets *targets;
    int *errors;                      /* one for each target: why it could not be opened, or 0 */
    const struct session_options *options;
    struct findings *findings;
    size_t next;                      /* atomic */
    bool several;
};

static void *work_on(void *arg) {
    struct work *work = arg;
    for (;;) {
        size_t i = __atomic_fetch_add(&work->next, 1, __ATOMIC_RELAXED);
        if (i >= work->targets->paths.count)
            return NULL;
        const char *path = work->targets->paths.list[i];
        const struct library_file *file;
        if (work->several && catalog_file(work->options->catalog, path, &file) == 0 && is_debug_file(file))
            continue;
        work->errors[i] = check_program(work->findings, work->options, path);
    }
}

static void check_all(struct work *work) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t count = cores > 16 ? 16 : cores > 0 ? (size_t)cores : 1;
    pthread_t threads[16];
    size_t started = 0;
    while (started + 1 < count && started + 1 < work->targets->paths.count && pthread_create(&threads[started], NULL, work_on, work) == 0)
        started++;
    work_on(work);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

/* As collected, and then as opened: a file that was changed in between is told as what it could not be opened for. */
static void check_targets(struct findings *findings, struct targets *targets, const struct check_options *check) {
    struct session_options chosen = explain_session_options(&check->explain, targets->catalog);
    size_t count = targets->paths.count;
    struct work work = { targets, must_alloc(count, sizeof *work.errors), &chosen, findings, 0, count > check->word_count };
    check_all(&work);
    for (size_t i = 0; i < count; i++)
        if (work.errors[i])
            add_unread(targets, targets->paths.list[i], work.errors[i]);
    free(work.errors);
    check_changed(findings, targets->catalog);
}

/* What was found comes before what could not be looked into. */
static int status_of(const struct check_options *check, bool any, enum severity worst, bool complete) {
    bool counts = any && worst >= check->fail_on && !check->fail_never;
    if (counts && worst != SEVERITY_NOTE)
        return worst == SEVERITY_ERROR ? EXIT_ERRORS : EXIT_WARNINGS;
    return !complete ? LDR_EXIT_NO_TARGET : counts ? LDR_EXIT_PARTIAL : LDR_EXIT_OK;
}

int cmd_check(int argc, char **argv) {
    static const struct argp_child children[] = EXPLAIN_CHILDREN;
    static const struct argp argp = {
        options, parse_option, "PROGRAM|LIBRARY|DIRECTORY...",
        "Say what is or will be wrong with programs and libraries, without running them: missing libraries, symbols and versions, clashing "
        "symbols, copy relocations that do not fit, search paths that anyone can write to, missing protections.\v"
        "Of a DIRECTORY every x86-64 program and library below it is checked, in parallel; a finding about a library is told once, with the "
        "programs that it concerns. References are looked up by the linker's own code. A library by itself is checked as if opened by a "
        "program without symbols of its own.\n"
        "\n"
        "Exit status: 0 nothing worse than a note, 1 ldr failed, 2 usage, 4 no such program or something could not be read, 5 warnings, 6 errors.\n"
        "\n"
        "Examples:\n"
        "  ldr check ./server\n"
        "  ldr check --level note /usr/lib/x86_64-linux-gnu/libssl.so.3\n"
        "  ldr check --sarif build/ >ldr.sarif\n"
        "  ldr check --sysroot /mnt/target /mnt/target/usr/bin\n",
        children, NULL, NULL,
    };
    struct check_options check = { .level = SEVERITY_WARNING, .fail_on = SEVERITY_WARNING };
    argp_err_exit_status = LDR_EXIT_USAGE;
    if (argp_parse(&argp, argc, argv, 0, NULL, &check) != 0)
        return LDR_EXIT_USAGE;
    struct catalog *catalog = explain_catalog(&check.explain);
    if (!catalog)
        return LDR_EXIT_NO_TARGET;
    struct targets targets = { .catalog = catalog };
    collect(&targets, &check);
    bool text = !check.sarif && !check.explain.json, none = !targets.paths.count;
    if (none && !targets.unknown && !targets.unread.count)
        warn_ldr("no x86-64 program or library there");
    struct findings *findings = findings_new();
    check_targets(findings, &targets, &check);
    tell_unread(&targets);
    if (text && none)
        return LDR_EXIT_NO_TARGET;
    struct check_summary summary = { .files = targets.paths.count };
    size_t count;
    struct finding **sorted = findings_sorted(findings, &count);
    enum severity worst = SEVERITY_NOTE;
    for (size_t i = 0; i < count; i++) {
        summary.counts[sorted[i]->severity]++;
        worst = sorted[i]->severity > worst ? sorted[i]->severity : worst;
    }
    if (text)
        plain_output();
    if (check.sarif)
        check_sarif(findings);
    else if (check.explain.json)
        check_json(findings, &summary);
    else
        check_text(findings, &summary, check.level);
    return status_of(&check, count != 0, worst, !none && !targets.unknown && !targets.unread.count);
}
