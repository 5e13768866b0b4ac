/* proc.c - /proc/PID files, parsed by hand: maps of a hundred processes is the bulk of the text a report reads. */
#include "proc.h"
#include "../ldr.h"
#include "../pages/pages.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { READ_STEP = 64 * 1024 };

void text_free(struct text *text) {
    free(text->bytes);
    *text = (struct text){ 0 };
}

int proc_open(pid_t pid) {
    char path[32];
    snprintf(path, sizeof path, "/proc/%d", (int)pid);
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int proc_read(int proc, const char *name, struct text *text) {
    int fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    text->len = 0;
    for (;;) {
        if (text->room - text->len < READ_STEP) {
            text->room = text->room * 2 + READ_STEP + 1;
            text->bytes = must_grow(text->bytes, text->room, 1);
        }
        ssize_t got = read(fd, text->bytes + text->len, text->room - text->len - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            int error = got < 0 ? errno : 0;
            close(fd);
            text->bytes[text->len] = '\0';
            return -error;
        }
        text->len += (size_t)got;
    }
}

static int compare_pids(const void *a, const void *b) {
    pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;
    return x < y ? -1 : x > y;
}

pid_t *proc_pids(size_t *count) {
    pid_t *pids = NULL;
    size_t room = 0;
    *count = 0;
    DIR *proc = opendir("/proc");
    if (!proc)
        return must_alloc(1, sizeof *pids);
    struct dirent *entry;
    while ((entry = readdir(proc))) {
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        if (*count == room)
            pids = must_grow(pids, room = room * 2 + 256, sizeof *pids);
        pids[(*count)++] = (pid_t)strtol(entry->d_name, NULL, 10);
    }
    closedir(proc);
    qsort(pids, *count, sizeof *pids, compare_pids);
    return pids;
}

enum life { LIFE_NONE, LIFE_MEMORY, LIFE_THREADS }; /* no memory; has it; its other threads may have it */

/* Of /proc/PID/stat, which everybody may read; or -errno. */
static int read_life(int proc) {
    struct text stat = { 0 };
    int life = proc_read(proc, "stat", &stat);
    if (!life) {
        /* pid (comm) state ppid pgrp session tty tpgid flags, ten others, threads ...; comm may hold anything, so from its last ')' */
        const char *after = strrchr(stat.bytes, ')');
        char state;
        unsigned flags;
        long threads;
        enum { KERNEL_THREAD = 0x00200000 }; /* PF_KTHREAD */
        if (!after || sscanf(after + 1, " %c %*d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %ld", &state, &flags, &threads) != 3 ||
            flags & KERNEL_THREAD)
            life = LIFE_NONE;
        else if (state != 'Z' && state != 'X')
            life = LIFE_MEMORY;
        else
            life = threads > 1 ? LIFE_THREADS : LIFE_NONE;
    }
    text_free(&stat);
    return life;
}

static int open_with_memory(pid_t task) {
    int proc = proc_open(task);
    if (proc < 0)
        return proc;
    int life = read_life(proc);
    if (life == LIFE_MEMORY)
        return proc;
    close(proc);
    return life < 0 ? life : -ENOENT;
}

/* /proc/TID and not /proc/PID/task/TID: only the first has map_files. */
static int open_thread(int proc, pid_t pid, pid_t *task) {
    int found = -ENOENT, folder = openat(proc, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *threads = folder < 0 ? NULL : fdopendir(folder);
    if (!threads) {
        found = -errno;
        if (folder >= 0)
            close(folder);
        return found;
    }
    for (struct dirent *entry; found < 0 && (entry = readdir(threads)); ) {
        *task = (pid_t)strtol(entry->d_name, NULL, 10);
        if (*task > 0 && *task != pid)
            found = open_with_memory(*task);
    }
    closedir(threads);
    return found;
}

int proc_open_memory(pid_t pid, pid_t *task) {
    int proc = proc_open(pid);
    *task = pid;
    if (proc < 0)
        return proc;
    int life = read_life(proc), found = -ENOENT;
    if (life == LIFE_MEMORY)
        return proc;
    if (life == LIFE_THREADS)
        found = open_thread(proc, pid, task);
    close(proc);
    return life < 0 ? life : found;
}

/* The number after "\nNAME:"; 0 when there is no such line. */
static uint64_t status_number(const struct text *status, const char *name) {
    const char *at = strstr(status->bytes, name);
    return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

pid_t proc_parent(int proc) {
    struct text stat = { 0 };
    int parent = 0;
    if (proc_read(proc, "stat", &stat) == 0) {
        const char *after = strrchr(stat.bytes, ')');
        if (!after || sscanf(after + 1, " %*c %d", &parent) != 1)
            parent = 0;
    }
    text_free(&stat);
    return parent;
}

int proc_user(int proc, uid_t *user) {
    struct text status = { 0 };
    int error = proc_read(proc, "status", &status);
    if (!error && !strstr(status.bytes, "\nUid:"))
        error = -ESRCH;
    if (!error)
        *user = (uid_t)status_number(&status, "\nUid:");
    text_free(&status);
    return error;
}

int proc_facts_read(int proc, struct text *text, struct proc_facts *facts) {
    *facts = (struct proc_facts){ 0 };
    int error = proc_read(proc, "status", text);
    if (error)
        return error;
    const uint64_t page_kib = PAGE_LEN / 1024;
    struct proc_facts found = { status_number(text, "\nVmRSS:") / page_kib, status_number(text, "\nVmSwap:") / page_kib,
                                status_number(text, "\nVmPTE:"), 0, 0 };
    error = proc_read(proc, "stat", text);
    if (error)
        return error;
    /* pid (comm) state ppid pgrp session tty tpgid flags minflt cminflt majflt ... */
    const char *after = strrchr(text->bytes, ')');
    if (after && sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %lu %*u %lu", &found.minor_faults, &found.major_faults) == 2)
        *facts = found;
    return 0;
}

static uint64_t read_hex(char **at) {
    uint64_t value = 0;
    for (;; (*at)++) {
        unsigned c = (unsigned char)**at, digit;
        if (c - '0' < 10)
            digit = c - '0';
        else if (c - 'a' < 6)
            digit = c - 'a' + 10;
        else
            return value;
        value = value << 4 | digit;
    }
}

/* The kernel writes a newline in a path as \012. */
static void unescape(char *path) {
    if (!strchr(path, '\\'))
        return;
    char *to = path;
    for (char *from = path; *from; )
        if (strncmp(from, "\\012", 4) == 0) {
            *to++ = '\n';
            from += 4;
        } else {
            *to++ = *from++;
        }
    *to = '\0';
}

/* 7f1336f6d000-7f1336f93000 r-xp 00001000 fe:00 332383                     /usr/lib/x86_64-linux-gnu/libc.so.6 */
bool map_next(char **cursor, struct map_line *line) {
    char *at = *cursor;
    if (!*at)
        return false;
    line->start = read_hex(&at);
    at++;
    line->end = read_hex(&at);
    at++;
    line->access = (at[0] == 'r' ? ACCESS_READ : 0) | (at[1] == 'w' ? ACCESS_WRITE : 0) | (at[2] == 'x' ? ACCESS_EXEC : 0);
    line->private = at[3] == 'p';
    at += 5;
    line->off = read_hex(&at);
    at++;
    unsigned major = (unsigned)read_hex(&at);
    at++;
    unsigned minor = (unsigned)read_hex(&at);
    at++;
    line->dev = makedev(major, minor);
    line->ino = strtoull(at, &at, 10);
    at += strspn(at, " ");
    line->path = at;
    at += strcspn(at, "\n");
    if (*at)
        *at++ = '\0';
    if (line->ino)
        unescape(line->path);
    *cursor = at;
    return true;
}

static const char *last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The program among the words of `ld.so [OPTION...] PROGRAM [ARG...]`, NULL if none: options as in ld.so(8). */
static const char *program_of_linker(const struct text *cmdline) {
    static const char *const with_value[] = { "--library-path", "--preload", "--argv0", "--inhibit-rpath", "--audit",
                                              "--glibc-hwcaps-prepend", "--glibc-hwcaps-mask" };
    const char *at = cmdline->bytes, *end = at + cmdline->len;
    for (at += strlen(at) + 1; at < end; at += strlen(at) + 1) {
        if (strncmp(at, "--", 2) != 0)
            return at;
        for (size_t i = 0; i < sizeof with_value / sizeof with_value[0]; i++)
            if (strcmp(at, with_value[i]) == 0) {
                at += strlen(at) + 1;
                break;
            }
        if (at >= end)
            return NULL;
    }
    return NULL;
}

static bool is_file_at(int folder, const char *path, uint64_t dev, uint64_t ino) {
    struct stat st;
    return fstatat(folder, path, &st, 0) == 0 && st.st_ino == ino && st.st_dev == dev;
}

static bool runs_linker_as_command(int proc, uint64_t linker_dev, uint64_t linker_ino) { return is_file_at(proc, "exe", linker_dev, linker_ino); }

char *proc_name(int proc, uint64_t linker_dev, uint64_t linker_ino) {
    char *name = NULL;
    struct text text = { 0 };
    if (runs_linker_as_command(proc, linker_dev, linker_ino) && proc_read(proc, "cmdline", &text) == 0 && text.len) {
        const char *program = program_of_linker(&text);
        if (program)
            name = must_format("%s", last_part(program));
    }
    if (!name) {
        char exe[PATH_MAX];
        ssize_t length = readlinkat(proc, "exe", exe, sizeof exe - 1);
        if (length > 0) {
            exe[length] = '\0';
            static const char deleted[] = " (deleted)";
            const ssize_t tail = sizeof deleted - 1;
            if (length > tail && strcmp(exe + length - tail, deleted) == 0)
                exe[length - tail] = '\0';
            name = must_format("%s", last_part(exe));
        } else if (proc_read(proc, "comm", &text) == 0 && text.len > 1) {
            text.bytes[strcspn(text.bytes, "\n")] = '\0';
            name = must_format("%s", text.bytes);
        } else {
            name = must_format("?");
        }
    }
    text_free(&text);
    return name;
}

/* Is PATH, which has a slash, the process's argv[0] as it stands there, or the file it executes? */
static bool proc_executes(int proc, const char *path, uint64_t linker_dev, uint64_t linker_ino) {
    struct text text = { 0 };
    struct stat file;
    bool found = false, exists = stat(path, &file) == 0;
    if (proc_read(proc, "cmdline", &text) == 0 && text.len) {
        const char *word = text.bytes;
        if (runs_linker_as_command(proc, linker_dev, linker_ino) && (word = program_of_linker(&text)) && exists) {
            int folder = openat(proc, "cwd", O_PATH | O_DIRECTORY | O_CLOEXEC);
            found = is_file_at(folder, word, file.st_dev, file.st_ino);
            if (folder >= 0)
                close(folder);
        }
        found |= word && strcmp(word, path) == 0;
    }
    text_free(&text);
    return found || (exists && is_file_at(proc, "exe", file.st_dev, file.st_ino));
}

bool proc_is_called(int proc, const char *name, uint64_t linker_dev, uint64_t linker_ino) {
    if (strchr(name, '/'))
        return proc_executes(proc, name, linker_dev, linker_ino);
    struct text text = { 0 };
    bool called = false;
    if (proc_read(proc, "comm", &text) == 0) {
        text.bytes[strcspn(text.bytes, "\n")] = '\0';
        called = strcmp(text.bytes, name) == 0;
    }
    if (!called && proc_read(proc, "cmdline", &text) == 0 && text.len)
        called = strcmp(last_part(text.bytes), name) == 0;
    text_free(&text);
    if (!called) {
        char *program = proc_name(proc, linker_dev, linker_ino);
        called = strcmp(program, name) == 0;
        free(program);
    }
    return called;
}

int same_memory(pid_t a, pid_t b, int *order) {
    long result = syscall(SYS_kcmp, a, b, KCMP_VM, 0, 0);
    if (result < 0)
        return -errno;
    if (order)
        *order = result == 1 ? -1 : 1;
    return result == 0;
}
