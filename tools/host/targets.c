/* targets.c - which processes are meant: by PID, by name, by descent, by user, all, or those that run on ld-ldr.so. */
#include "../ldr.h"
#include "collect.h"
#include "proc.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
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

static void add_target(struct targets *targets, pid_t pid, int proc, const struct linker_id *linker) {
    targets->list = must_grow(targets->list, targets->count + 1, sizeof *targets->list);
    targets->list[targets->count++] = (struct target){ pid, proc, proc_name(proc, linker->dev, linker->ino) };
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

static bool is_chosen_otherwise(const struct target_choice *choice, pid_t pid, int proc, const struct family *families, size_t count,
                                bool *found_root) {
    bool wanted = false;
    for (size_t i = 0; i < choice->root_count; i++)
        if (descends_from(pid, choice->roots[i], families, count))
            wanted = found_root[i] = true;
    uid_t user;
    if (choice->by_user && proc_user(proc, &user) == 0 && user == choice->user)
        wanted = true;
    return wanted && pid != getpid();
}

/* ---- the choice ---- */

/* Decides about one process; bit i of *found is set when word i named it. */
static bool is_wanted(const struct target_choice *choice, const struct linker_id *linker, pid_t pid, int proc,
                      bool *found, struct text *text, struct targets *targets) {
    bool named_by_pid = false, wanted = false, others = choice->root_count || choice->by_user;
    for (size_t i = 0; i < choice->word_count; i++) {
        pid_t word_pid;
        if (read_pid(choice->words[i], &word_pid)) {
            if (word_pid != pid)
                continue;
            named_by_pid = true;
        } else if (!proc_is_called(proc, choice->words[i], linker->dev, linker->ino)) {
            continue;
        }
        wanted = found[i] = true;
    }
    if (choice->word_count || others)
        return wanted && (named_by_pid || pid != getpid());
    if (pid == getpid())
        return false;
    if (choice->all)
        return true;
    int runs = runs_on(proc, linker, text);
    if (runs == -EACCES || runs == -EPERM)
        targets->unexamined++;
    return runs == 1;
}

void choose_targets(const struct target_choice *choice, struct targets *targets) {
    *targets = (struct targets){ 0 };
    struct linker_id linker = { 0 };
    struct stat st;
    if (choice->linker && stat(choice->linker, &st) == 0)
        linker = (struct linker_id){ st.st_dev, st.st_ino };
    size_t pid_count;
    pid_t *pids = proc_pids(&pid_count);
    bool *found = must_alloc(choice->word_count, sizeof *found), *found_root = must_alloc(choice->root_count, sizeof *found_root);
    struct family *families = choice->root_count ? read_families(pids, pid_count) : NULL;
    struct text text = { 0 };
    for (size_t i = 0; i < pid_count; i++) {
        int proc = proc_open(pids[i]);
        if (proc < 0)
            continue; /* ended since the folder was read */
        if (proc_has_memory(proc) && (is_chosen_otherwise(choice, pids[i], proc, families, pid_count, found_root) |
                                      is_wanted(choice, &linker, pids[i], proc, found, &text, targets)))
            add_target(targets, pids[i], proc, &linker);
        else
            close(proc);
    }
    for (size_t i = 0; i < choice->word_count; i++) {
        pid_t pid;
        if (found[i])
            continue;
        if (read_pid(choice->words[i], &pid))
            warn_ldr("no process %s (or one without memory of its own)", choice->words[i]);
        else
            warn_ldr("no process is called %s", choice->words[i]);
        targets->missing++;
    }
    for (size_t i = 0; i < choice->root_count; i++)
        if (!found_root[i]) {
            warn_ldr("no process %d, and none that descends from it", (int)choice->roots[i]);
            targets->missing++;
        }
    text_free(&text);
    free(families);
    free(found_root);
    free(found);
    free(pids);
}

void targets_free(struct targets *targets) {
    for (size_t i = 0; i < targets->count; i++) {
        close(targets->list[i].proc);
        free(targets->list[i].name);
    }
    free(targets->list);
    *targets = (struct targets){ 0 };
}
