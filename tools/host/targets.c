/* targets.c - which processes are meant: by PID, by name, by descent, by user, all, or those that run on ld-ldr.so. */
#include "../ldr.h"
#include "../parallel.h"
#include "collect.h"
#include "proc.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct linker_id {
    uint64_t dev, ino; /* 0, 0 when no ld-ldr.so was found */
};

/* A linker is running a process when the process can execute it: mapping the file to read it (a debugger, objdump) does not
 * count. The name is the second mark, for an ld-ldr.so that was installed elsewhere or replaced by a newer build. */
static bool is_linker_mapping(const struct map_line *line, const struct linker_id *linker) {
    if (!(line->access & ACCESS_EXEC) || !line->ino)
        return false;
    if (line->ino == linker->ino && line->dev == linker->dev)
        return true;
    const char *name = strrchr(line->path, '/');
    return name && (strcmp(name, "/ld-ldr.so") == 0 || strcmp(name, "/ld-ldr.so (deleted)") == 0);
}

/* 1, 0 or -errno. */
static int runs_on(int proc, const struct linker_id *linker, struct text *text) {
    int error = proc_read(proc, "maps", text);
    if (error)
        return error;
    struct map_line line;
    for (char *at = text->bytes; map_next(&at, &line); )
        if (is_linker_mapping(&line, linker))
            return 1;
    return 0;
}

/* True if WORD is all digits and so a PID; out of range becomes 0, which no process has. */
static bool read_pid(const char *word, pid_t *pid) {
    for (const char *c = word; *c; c++)
        if (!isdigit((unsigned char)*c))
            return false;
    errno = 0;
    long value = strtol(word, NULL, 10);
    *pid = errno || value > INT32_MAX ? 0 : (pid_t)value;
    return *word != '\0';
}

/* ---- descent ---- */

struct family { pid_t pid, parent; };

static int compare_families(const void *a, const void *b) {
    const struct family *x = a, *y = b;
    return x->pid < y->pid ? -1 : x->pid > y->pid;
}

/* The parents of all processes as of now, by ascending PID. */
static struct family *read_families(const pid_t *pids, size_t count) {
    struct family *families = must_alloc(count, sizeof *families);
    for (size_t i = 0; i < count; i++) {
        int proc = proc_open(pids[i]);
        families[i] = (struct family){ pids[i], proc < 0 ? 0 : proc_parent(proc) };
        if (proc >= 0)
            close(proc);
    }
    return families;
}

/* Is ROOT the process itself or above it? Parents were read one by one: no more steps than there are processes. */
static bool descends_from(pid_t pid, pid_t root, const struct family *families, size_t count) {
    for (size_t steps = 0; pid && steps <= count; steps++) {
        if (pid == root)
            return true;
        const struct family *found = bsearch(&(struct family){ pid, 0 }, families, count, sizeof *families, compare_families);
        pid = found ? found->parent : 0;
    }
    return false;
}

/* ---- the choice ---- */

/* One process that may be meant. */
struct candidate {
    pid_t pid, task;
    int proc; /* negative: gone, or not meant */
    int left; /* enum left_why, or -1 */
    int error;
    char *name;
};

/* What several threads examine the candidates with. */
struct examination {
    const struct target_choice *choice;
    struct linker_id linker;
    struct candidate *candidates;
    struct family *families; /* of all processes */
    size_t family_count;
    atomic_bool *found, *found_root; /* by word and by root */
    int descriptors; /* targets may hold those below this one: the others are for reading them */
    struct text texts[WORKERS_MAX];
};

static bool is_chosen_otherwise(struct examination *examination, const struct candidate *candidate) {
    const struct target_choice *choice = examination->choice;
    bool wanted = false;
    for (size_t i = 0; i < choice->root_count; i++)
        if (descends_from(candidate->pid, choice->roots[i], examination->families, examination->family_count))
            wanted = examination->found_root[i] = true;
    uid_t user;
    if (choice->by_user && proc_user(candidate->proc, &user) == 0 && user == choice->user)
        wanted = true;
    return wanted && candidate->pid != getpid();
}

static bool is_named(struct examination *examination, const struct candidate *candidate) {
    const struct target_choice *choice = examination->choice;
    bool named_by_pid = false, wanted = false;
    for (size_t i = 0; i < choice->word_count; i++) {
        pid_t word_pid;
        if (read_pid(choice->words[i], &word_pid)) {
            if (word_pid != candidate->pid)
                continue;
            named_by_pid = true;
        } else if (!proc_is_called(candidate->proc, choice->words[i], examination->linker.dev, examination->linker.ino)) {
            continue;
        }
        wanted = examination->found[i] = true;
    }
    return wanted && (named_by_pid || candidate->pid != getpid());
}

static bool is_forbidden(int error) { return error == -EACCES || error == -EPERM; }
static bool has_choice(const struct target_choice *choice) { return choice->word_count || choice->root_count || choice->by_user; }

/* The candidate is left out, unless it has just ended. FORBIDDEN: why, when it is for want of permission. */
static void not_examined(struct candidate *candidate, int error, enum left_why forbidden) {
    if (proc_error_is_end(error))
        return;
    candidate->left = is_forbidden(error) ? (int)forbidden : LEFT_UNOPENED;
    candidate->error = error;
}

static bool is_wanted(struct examination *examination, struct candidate *candidate, struct text *text) {
    const struct target_choice *choice = examination->choice;
    bool otherwise = is_chosen_otherwise(examination, candidate), named = is_named(examination, candidate);
    if (has_choice(choice))
        return otherwise || named;
    if (candidate->pid == getpid())
        return false;
    if (choice->all)
        return true;
    int runs = runs_on(candidate->proc, &examination->linker, text);
    if (runs < 0)
        not_examined(candidate, runs, LEFT_UNEXAMINED);
    return runs == 1;
}

static void examine(void *context, size_t worker, size_t index) {
    struct examination *examination = context;
    struct candidate *candidate = &examination->candidates[index];
    candidate->proc = proc_open_memory(candidate->pid, &candidate->task);
    if (candidate->proc >= examination->descriptors) {
        close(candidate->proc);
        candidate->proc = -EMFILE;
    }
    if (candidate->proc < 0) {
        if (!is_forbidden(candidate->proc) || examination->choice->all || !has_choice(examination->choice))
            not_examined(candidate, candidate->proc, examination->choice->all ? LEFT_UNREADABLE : LEFT_UNEXAMINED);
        return;
    }
    if (is_wanted(examination, candidate, &examination->texts[worker])) {
        candidate->name = proc_name(candidate->proc, examination->linker.dev, examination->linker.ino);
        return;
    }
    close(candidate->proc);
    candidate->proc = -1;
}

static int compare_pids(const void *a, const void *b) {
    pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;
    return x < y ? -1 : x > y;
}

/* The PIDs that may be meant, ascending: those named when there are only such, else all. */
static pid_t *list_candidates(const struct target_choice *choice, size_t *count) {
    bool only_pids = choice->word_count && !choice->root_count && !choice->by_user;
    pid_t *pids = must_alloc(choice->word_count, sizeof *pids);
    *count = 0;
    for (size_t i = 0; i < choice->word_count && only_pids; i++) {
        only_pids = read_pid(choice->words[i], &pids[*count]);
        *count += only_pids && pids[*count] > 0;
    }
    if (!only_pids) {
        free(pids);
        return proc_pids(count);
    }
    qsort(pids, *count, sizeof *pids, compare_pids);
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++)
        if (!kept || pids[kept - 1] != pids[i])
            pids[kept++] = pids[i];
    *count = kept;
    return pids;
}

/* Each worker has a few descriptors open at a time while it reads; so many are kept free of those that targets hold. */
static int descriptors_for_targets(void) {
    enum { FOR_ALL = 16, FOR_WORKER = 4 };
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > INT_MAX)
        return INT_MAX;
    int all = (int)limit.rlim_cur, kept = FOR_ALL + FOR_WORKER * (int)worker_count(WORKERS_MAX);
    return kept < all / 2 ? all - kept : all / 2;
}

void left_add(struct targets *targets, pid_t pid, enum left_why why, int error) {
    if ((targets->left_count & (targets->left_count - 1)) == 0) /* 0, 1, 2, 4...: full */
        targets->left = must_grow(targets->left, targets->left_count * 2 + 1, sizeof *targets->left);
    targets->left[targets->left_count++] = (struct left_out){ pid, why, error };
    targets->left_by[why]++;
}

/* Is the process of this PID among those named, so that leaving it out was said? */
static bool is_left(const struct targets *targets, pid_t pid) {
    for (size_t i = 0; i < targets->left_count; i++)
        if (targets->left[i].pid == pid)
            return true;
    return false;
}

static void say_missing(const struct examination *examination, struct targets *targets) {
    const struct target_choice *choice = examination->choice;
    for (size_t i = 0; i < choice->word_count; i++) {
        pid_t pid;
        bool number = read_pid(choice->words[i], &pid);
        if (examination->found[i] || (number && is_left(targets, pid)))
            continue;
        if (number)
            warn_ldr("no process %s (or one without memory of its own)", choice->words[i]);
        else
            warn_ldr("no process is called %s", choice->words[i]);
        targets->missing++;
    }
    for (size_t i = 0; i < choice->root_count; i++)
        if (!examination->found_root[i]) {
            warn_ldr("no process %d, and none that descends from it", (int)choice->roots[i]);
            targets->missing++;
        }
}

void choose_targets(const struct target_choice *choice, struct targets *targets) {
    *targets = (struct targets){ 0 };
    struct examination *examination = must_alloc(1, sizeof *examination);
    struct stat st;
    examination->choice = choice;
    if (choice->linker && stat(choice->linker, &st) == 0)
        examination->linker = (struct linker_id){ st.st_dev, st.st_ino };
    size_t count;
    pid_t *pids = list_candidates(choice, &count);
    examination->found = must_alloc(choice->word_count, sizeof *examination->found);
    examination->found_root = must_alloc(choice->root_count, sizeof *examination->found_root);
    examination->families = choice->root_count ? read_families(pids, count) : NULL;
    examination->family_count = count;
    examination->candidates = must_alloc(count, sizeof *examination->candidates);
    for (size_t i = 0; i < count; i++)
        examination->candidates[i] = (struct candidate){ .pid = pids[i], .left = -1 };
    examination->descriptors = descriptors_for_targets();
    parallel_for(count, examine, examination);

    targets->list = must_alloc(count, sizeof *targets->list);
    for (size_t i = 0; i < count; i++) {
        const struct candidate *candidate = &examination->candidates[i];
        if (candidate->left >= 0)
            left_add(targets, candidate->pid, (enum left_why)candidate->left, candidate->error);
        if (candidate->proc >= 0)
            targets->list[targets->count++] = (struct target){ candidate->pid, candidate->task, candidate->proc, candidate->name };
    }
    say_missing(examination, targets);
    for (size_t i = 0; i < WORKERS_MAX; i++)
        text_free(&examination->texts[i]);
    free(examination->candidates);
    free(examination->families);
    free(examination->found_root);
    free(examination->found);
    free(examination);
    free(pids);
}

bool is_process(const char *word, const char *linker) {
    struct linker_id id = { 0 };
    struct stat st;
    pid_t pid;
    if (linker && stat(linker, &st) == 0)
        id = (struct linker_id){ st.st_dev, st.st_ino };
    if (read_pid(word, &pid))
        return true;
    bool found = false;
    size_t count;
    pid_t *pids = proc_pids(&count);
    for (size_t i = 0; i < count && !found; i++) {
        pid_t task;
        int proc = pids[i] == getpid() ? -1 : proc_open_memory(pids[i], &task);
        if (proc < 0)
            continue;
        found = proc_is_called(proc, word, id.dev, id.ino);
        close(proc);
    }
    free(pids);
    return found;
}

void targets_free(struct targets *targets) {
    for (size_t i = 0; i < targets->count; i++) {
        close(targets->list[i].proc);
        free(targets->list[i].name);
    }
    free(targets->list);
    free(targets->left);
    *targets = (struct targets){ 0 };
}
