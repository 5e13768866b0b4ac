/* stop.c - a thread stands before a signal. Whether it is the end of the program only the kernel knows in time: a handler, or a signal that is
 * ignored, makes it the program's own business (java and go live of SIGSEGV). So nothing is done but to keep registers and siginfo; if the
 * thread dies of it, it stands again, nothing has changed since, and the report is made then. */
#include "crash.h"
#include "../debuginfo/debuginfo.h"
#include "../ldr.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KEPT_MAX = 64, REPORTED = 5 }; /* KEPT_MAX: faults that handlers are at work on, one a thread; the oldest makes room */

static const int reported[REPORTED] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };

struct kept {
    pid_t thread;
    struct moment last;
    struct moment fault;              /* the one before that a handler got, si_signo 0: none; a handler may raise the signal again */
    bool handled;                     /* `last` was sent, and handled then: a thread that waits stands where it stood, whoever dies later */
};
struct crash_watch {
    struct crash_start start;
    size_t next;                      /* in kept */
    bool unseen[UNSEEN_SIGNALS + 1];  /* by enum watch_unseen: a thread may have died like that */
    int number;                       /* of the signal that the report is on; 0: there is none */
    bool failed;                      /* there could be none, which has been said */
    char *text, *json;
    struct kept kept[KEPT_MAX];
};

/* Not allocated: that would write all of it at each start, and most is written never. */
struct crash_watch *crash_watch_of(const struct crash_start *start) {
    static struct crash_watch watch;
    watch.start = *start;
    return &watch;
}

static bool is_reported(int number) {
    for (size_t i = 0; i < REPORTED; i++)
        if (reported[i] == number)
            return true;
    return false;
}

static bool take_registers(pid_t thread, struct user_regs_struct *regs) {
    struct iovec words = { regs, sizeof *regs };
    return ptrace(PTRACE_GETREGSET, thread, (void *)NT_PRSTATUS, &words) == 0;
}

static bool take_moment(pid_t thread, struct moment *moment) {
    return ptrace(PTRACE_GETSIGINFO, thread, 0, &moment->info) == 0 && take_registers(thread, &moment->regs);
}

/* Whether the program has a handler for it or ignores it. The kernel takes both away before it forces a signal on a thread that blocks it. */
static bool is_handled(pid_t thread, int number) {
    char *text = process_file(thread, "status");
    const char *caught = strstr(text, "\nSigCgt:"), *ignored = strstr(text, "\nSigIgn:");
    u64 mask = (caught ? strtoull(caught + 8, NULL, 16) : 0) | (ignored ? strtoull(ignored + 8, NULL, 16) : 0);
    bool handled = !caught || mask >> (number - 1) & 1;        /* gone meanwhile: nothing to tell */
    free(text);
    return handled;
}

static struct kept *kept_of(struct crash_watch *watch, pid_t thread) {
    for (size_t i = 0; i < KEPT_MAX; i++)
        if (watch->kept[i].thread == thread)
            return &watch->kept[i];
    return NULL;
}

/* The oldest one, but not of a thread that dies of it: that has perhaps not come to run yet. */
static struct kept *room(struct crash_watch *watch) {
    struct kept *kept;
    size_t tried = 0;
    do
        kept = &watch->kept[watch->next++ % KEPT_MAX];
    while (++tried < KEPT_MAX && kept->thread && !is_handled(kept->thread, kept->last.info.si_signo));
    return kept;
}

static void keep(struct crash_watch *watch, pid_t thread, const struct moment *moment) {
    struct kept *kept = kept_of(watch, thread);
    if (!kept) {
        kept = room(watch);
        *kept = (struct kept){ .thread = thread };
    }
    if (kept->last.info.si_code > 0)
        kept->fault = kept->last;
    kept->last = *moment;
    /* A fault is one again when the handler has returned to it; a call that waits is only begun again. */
    kept->handled = moment->info.si_code <= 0 && is_handled(thread, moment->info.si_signo);
}

/* Whether the stack leads through the handler's frame to the fault that was kept, or back at it (a signal that was blocked in the handler comes
 * when that has returned): only then is it what the program dies of. */
static bool leads_to(const struct unwound *unwound, const struct moment *moment) {
    for (size_t i = 0; i < unwound->frame_count; i++)
        if (unwound->frames[i].exact && unwound->frames[i].pc == moment->regs.rip && unwound->frames[i].sp == moment->regs.rsp)
            return true;
    return false;
}

/* Names of files and threads are anybody's: nothing of them shall reach a terminal as a command. */
static void clean(char *text) {
    for (char *line = text, *end; line && *line; line = end) {
        end = line + strcspn(line, "\n");
        bool more = *end == '\n';
        *end = '\0';
        make_printable(line);
        if (more)
            *end++ = '\n';
    }
}

static char *in_memory(void (*print)(const struct crash *, FILE *), const struct crash *crash) {
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    if (out) {
        print(crash, out);
        fclose(out);
        clean(text);
    }
    return text;
}

/* The first thread may have ended before its process. */
static char *program_of(pid_t thread) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/%d/exe", (int)thread);
    ssize_t len = readlink(link, path, sizeof path - 1);
    return must_format("%.*s", len > 0 ? (int)len : 1, len > 0 ? path : "?");
}

/* By execve: then the program that was started is not in memory any more, and its options are not those of the new one. */
static void find_program(struct crash *crash, const struct crash_start *start) {
    struct stat st;
    for (size_t i = 0; i < crash->space.object_count && stat(start->program, &st) == 0; i++) {
        const struct library_file *file = crash->space.objects[i].file;
        if (file && file->ino == st.st_ino && file->dev == st.st_dev) {
            crash->program = start->program;
            crash->own = &crash->space.objects[i];
            crash->library_path = start->library_path;
            crash->preload = start->preload;
            return;
        }
    }
    crash->program = program_of(crash->thread);
    for (size_t i = 0; i < crash->space.object_count && !crash->own; i++)
        if (strcmp(crash->space.objects[i].path, crash->program) == 0)
            crash->own = &crash->space.objects[i];
}

static bool same_place(const struct user_regs_struct *a, const struct user_regs_struct *b) {
    return a->rip == b->rip && a->rsp == b->rsp;
}

static void report_build(struct crash_watch *watch, pid_t pid, pid_t thread, const struct kept *kept) {
    const struct moment *moment = &kept->last, *fault = kept->fault.info.si_signo ? &kept->fault : NULL;
    struct crash crash = { .pid = pid, .thread = thread, .moment = *moment };
    char *name = process_file(thread, "comm");
    snprintf(crash.thread_name, sizeof crash.thread_name, "%.*s", (int)strcspn(name, "\n"), name);
    free(name);
    if (!space_open(&crash.space, pid, thread)) {
        /* It took another user's identity, say; the kernel lets a tracer go on, and no more. */
        warn_ldr("no crash report on process %d: its memory cannot be read", (int)pid);
        watch->failed = true;
        space_close(&crash.space);
        return;
    }
    crash.space.sp = moment->regs.rsp;
    find_program(&crash, &watch->start);
    /* A handler whose frame found no room on the stack: the kernel forces the signal anew, and what it says of it now is less. */
    if (fault && moment->info.si_code == SI_KERNEL && fault->info.si_signo == moment->info.si_signo && same_place(&fault->regs, &moment->regs))
        crash.moment = *fault;
    unwind(&crash.unwound, &crash.space, moment, fault);
    if (fault && moment->info.si_code <= 0 && leads_to(&crash.unwound, fault)) {
        crash.raised_again = true;
        crash.moment = *fault;
        unwound_free(&crash.unwound);
        unwind(&crash.unwound, &crash.space, &crash.moment, NULL);
    }
    frames_name(&crash);
    access_find(&crash);
    if (crash.has_addr)
        crash.at = spot_find(&crash.space, crash.addr, crash.access == ACCESS_EXECUTES);
    const struct frame *first = &crash.unwound.frames[0];
    crash.instruction = first->object && first->pc == crash.moment.regs.rip ? spot_of_frame(&crash.space, first)
                                                                             : spot_find(&crash.space, crash.moment.regs.rip, true);
    slot_find(&crash);
    cause_find(&crash);
    watch->number = moment->info.si_signo;
    watch->text = in_memory(crash_text, &crash);
    watch->json = in_memory(crash_json, &crash);
    unwound_free(&crash.unwound);
    space_close(&crash.space);
}

bool crash_may_kill(pid_t thread, int number) {
    return is_reported(number) && !is_handled(thread, number);
}

bool crash_signal_stop(pid_t thread, int number, void *arg) {
    struct moment moment;
    if (!is_reported(number) || !take_moment(thread, &moment))
        return false;
    keep(arg, thread, &moment);
    return true;
}

/* Each thread ends with the signal of the process: the one that died of it has not run since it got it, and nobody handles it. */
bool crash_dead(pid_t pid, pid_t thread, int number, void *arg) {
    struct crash_watch *watch = arg;
    const struct kept *kept = kept_of(watch, thread);
    struct user_regs_struct now;
    if (watch->number || watch->failed || !kept || kept->handled || kept->last.info.si_signo != number ||
        !take_registers(thread, &now) || !same_place(&now, &kept->last.regs) || is_handled(thread, number))
        return false;
    report_build(watch, pid, thread, kept);
    return watch->number;
}

static void write_report(const char *path, const char *report) {
    FILE *out = *path ? fopen(path, "we") : stderr;
    if (!out) {
        warn_ldr("%s: %s; the report follows", path, strerror(errno));
        out = stderr;
    }
    fputs(report, out);
    if (out != stderr && fclose(out) != 0) {
        warn_ldr("%s: %s; the report follows", path, strerror(errno));
        fputs(report, stderr);
    }
}

void crash_unseen(struct crash_watch *watch, enum watch_unseen why) {
    watch->unseen[why] = true;
}

void crash_write(struct crash_watch *watch, int status, const char *text, const char *json) {
    int number = WIFSIGNALED(status) && is_reported(WTERMSIG(status)) ? WTERMSIG(status) : 0;
    bool report = number && number == watch->number;
    if (text && report && watch->text)
        write_report(text, watch->text);
    if (json && report && watch->json)
        write_report(json, watch->json);
    if (report || !number || watch->failed)
        return;
    if (watch->unseen[UNSEEN_SIGNALS])
        warn_ldr("no crash report on %s: the program takes so many signals that some of its threads are left alone most of the time; --every-thread "
                 "watches each always", crash_signal(number));
    else if (watch->unseen[UNSEEN_YOUNG])
        warn_ldr("no crash report on %s: the thread that got it was younger than some milliseconds, and the program makes too many to stop each at "
                 "its start; --every-thread does", crash_signal(number));
    else
        warn_ldr("no crash report on %s: no thread was seen to die of it", crash_signal(number));
}
