/* text.c - stories for people: one line each, then where the time of each process went. */
#include "trace.h"

#include "../../ldr/link/link.h"
#include "../debuginfo/debuginfo.h"
#include "../ldr.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void put_prot(FILE *out, uint32_t prot) {
    fprintf(out, "%c%c%c", prot & 4 ? 'r' : '-', prot & 2 ? 'w' : '-', prot & 1 ? 'x' : '-');
}

static void put_symbol(const struct story *story, FILE *out) {
    fprintf(out, "%s", story->name ? story->name : "?");
    if (story->version)
        fprintf(out, "@%s", story->version);
}

static void put_mode(unsigned mode, FILE *out) {
    fprintf(out, "%s%s%s%s%s", mode & 2 ? "NOW" : "LAZY", mode & 0x100 ? "|GLOBAL" : "|LOCAL", mode & 4 ? "|NOLOAD" : "",
            mode & 8 ? "|DEEPBIND" : "", mode & 0x1000 ? "|NODELETE" : "");
}

static const char *function_name(const struct story *story, char *buf, size_t len) {
    if (story->name)
        return story->name;
    snprintf(buf, len, "+0x%" PRIx64, story->object ? story->value - story->object->bias : story->value);
    return buf;
}

static void put_cache(const struct story *story, FILE *out) {
    static const char *const news[] = { "hit, made from record ", "miss: ", "record made: ", "no record is made: " };
    const char *word = story->word ? story->word : "?";
    const struct trace_cached *cached = (const void *)(story->event + 1);
    if (story->event->type == TRACE_CACHE)
        fprintf(out, "%s%s", story->value < sizeof news / sizeof news[0] ? news[story->value] : "? ", word);
    else if (story->value == TRACE_EACH_START)
        fprintf(out, "%s is relocated at each start: %s", traced_short(story->object), word);
    else if (story->value == TRACE_BY_KERNEL)
        fprintf(out, "%s is mapped by the kernel", traced_short(story->object));
    else
        fprintf(out, "%s: %" PRIu64 " pages of an image, %" PRIu64 " read-only, in pack %s", traced_short(story->object), cached->pages, cached->read_only, word);
}

static void put_sentence(const struct story *story, FILE *out) {
    const void *fixed = story->event + 1;
    char buf[32];
    switch (story->kind) {
    case STORY_PROCESS: {
        size_t at = sizeof(struct trace_process);
        unsigned taken = 0;
        for (const char *arg; (arg = record_argument(story->event, &taken, &at));)
            fprintf(out, "%s ", arg);
        fprintf(out, "(child of %u)", ((const struct trace_process *)fixed)->parent);
        return;
    }
    case STORY_PHASE: fprintf(out, "%s", story->name); return;
    case STORY_SEARCH:
        fprintf(out, "%s for %s", story->name ? story->name : "?", traced_short(story->object));
        if (story->ended && !story->other)
            fprintf(out, ": not found");
        else if (story->other)
            fprintf(out, ": %s", traced_path(story->other));
        return;
    case STORY_TRY:
        fprintf(out, "%s (%s)", story->name ? story->name : "?", found_by_text((enum found_by)story->value));
        if (story->error)
            fprintf(out, ": %s", strerror(story->error));
        return;
    case STORY_DIRECTORY: fprintf(out, "%s: %s", story->name ? story->name : "?", story->value ? "there" : "no such directory"); return;
    case STORY_MAP: {
        const struct trace_object *object = fixed;
        const struct trace_segment *segment = (const void *)(object + 1);
        fprintf(out, "%s at 0x%" PRIx64 ", %" PRIu64 " pages", traced_path(story->object), object->start, (object->end - object->start) / 4096);
        for (uint32_t i = 0; i < object->segments; i++) {
            fputc(i ? ' ' : ':', out);
            if (!i)
                fputc(' ', out);
            put_prot(out, segment[i].prot);
        }
        fprintf(out, "%s", story->object->flag & TRACE_IS_SHARED ? ", relocated pages from the cache" : "");
        return;
    }
    case STORY_RELOCATE: {
        const struct trace_relocated *counts = fixed;
        fprintf(out, "%s: %" PRIu64 " relative, %" PRIu64 " relr words, %" PRIu64 " symbolic, %" PRIu64 " functions%s", traced_short(story->object),
                counts->relative, counts->relr, counts->symbolic, counts->plt, story->event->flag ? " (lazy)" : "");
        return;
    }
    case STORY_BIND:
    case STORY_LAZY:
        fprintf(out, "%s of %s ", story->kind == STORY_LAZY ? "function" : story->word, traced_short(story->object));
        put_symbol(story, out);
        fprintf(out, story->other ? " to %s" : " to nothing (undefined weak)", traced_short(story->other));
        return;
    case STORY_PROTECT: {
        const struct trace_protected *range = fixed;
        fprintf(out, "%s: RELRO 0x%" PRIx64 ", %" PRIu64 " pages, read-only from here on", traced_short(story->object), range->start, range->len / 4096);
        return;
    }
    case STORY_CONSTRUCTOR:
    case STORY_DESTRUCTOR:
        fprintf(out, "%s of %s%s", function_name(story, buf, sizeof buf), traced_short(story->object), story->ended ? "" : " (did not return)");
        return;
    case STORY_OPEN:
        fprintf(out, "%s ", story->name ? story->name : "?");
        put_mode((unsigned)story->value, out);
        fprintf(out, " by %s", traced_short(story->object));
        if (story->ended && !story->other)
            fprintf(out, ": %s", story->word ? story->word : story->value & 4 ? "not loaded" : "failed");
        return;
    case STORY_CLOSE:
        fprintf(out, "%s, %" PRIu64 " open%s left", traced_short(story->object), story->value, story->value == 1 ? "" : "s");
        if (story->word && *story->word)
            fprintf(out, ": stays, %s", story->word);
        return;
    case STORY_KEEP:
        fprintf(out, "%s stays: %s", traced_short(story->object), story->word ? story->word : "?");
        if (story->other)
            fprintf(out, " %s", traced_short(story->other));
        return;
    case STORY_UNLOAD: fprintf(out, "%s", traced_path(story->object)); return;
    case STORY_TLS: {
        const struct trace_tls_module *tls = fixed;
        fprintf(out, "module %" PRIu64 " is %s, %" PRIu64 " bytes", tls->module, traced_short(story->object), tls->size);
        if (tls->offset)
            fprintf(out, ", static, %" PRIu64 " below the thread pointer", tls->offset);
        return;
    }
    case STORY_TLS_BLOCK: {
        const struct trace_tls_block *block = fixed;
        fprintf(out, "a block of %" PRIu64 " bytes for thread %u, module %" PRIu64 " (%s)", block->size, story->tid, block->module, traced_short(story->object));
        return;
    }
    case STORY_CACHE: put_cache(story, out); return;
    case STORY_ERROR: fprintf(out, "%s", story->name ? story->name : "?"); return;
    case STORY_KINDS: return;
    }
}

static double ms(uint64_t ns) { return (double)ns / 1e6; }

static void put_plain(const char *text, FILE *out) {
    char *copy = must_format("%s", text);
    make_printable(copy);
    fputs(copy, out);
    free(copy);
}

/* `words`: memory that a sentence is written into first, because names in it are anybody's: nothing of them shall reach a terminal as a
 * command, or look like a line of its own. */
struct words { FILE *stream; char *text; size_t len; };

static void put_line(const struct story *story, struct words *words, FILE *out) {
    fprintf(out, "%10.3f ", ms(story->start));
    if (story->ended)
        fprintf(out, "%9.3f ", ms(story->duration));
    else
        fprintf(out, "%9s ", "");
    fprintf(out, "%7u  %-11s ", story->pid, story_kind_name(story->kind));
    rewind(words->stream);
    put_sentence(story, words->stream);
    fputc('\0', words->stream);
    fflush(words->stream);
    make_printable(words->text);
    fprintf(out, "%s\n", words->text);
}

/* ---- the end: where the time went ----------------------------------------------------------------------------------- */

struct share { const char *path; uint64_t ns, calls; };

static int by_ns(const void *a, const void *b) {
    const struct share *x = a, *y = b;
    if (x->ns != y->ns)
        return x->ns < y->ns ? 1 : -1;
    return strcmp(x->path, y->path);
}

/* Constructors nest (one may dlopen): the outer one's time holds the inner one's. */
static void put_constructors(const struct trace_model *model, size_t from, size_t to, FILE *out) {
    struct share *shares = NULL;
    size_t count = 0, room = 0;
    for (size_t i = from; i < to; i = model->next[i]) {
        const struct story *story = &model->stories[i];
        if (story->kind != STORY_CONSTRUCTOR || !story->ended)
            continue;
        size_t at = 0;
        while (at < count && strcmp(shares[at].path, traced_path(story->object)) != 0)
            at++;
        if (at == count) {
            if (count == room)
                shares = must_grow(shares, room = room * 2 + 32, sizeof *shares);
            shares[count++] = (struct share){ .path = traced_path(story->object) };
        }
        shares[at].ns += story->duration;
        shares[at].calls++;
    }
    if (count)
        qsort(shares, count, sizeof *shares, by_ns);
    for (size_t i = 0; i < count && i < 10; i++) {
        fprintf(out, "  %10.3f ms  constructors of ", ms(shares[i].ns));
        put_plain(shares[i].path, out);
        fprintf(out, " (%" PRIu64 ")\n", shares[i].calls);
    }
    if (count > 10)
        fprintf(out, "                 and of %zu more objects\n", count - 10);
    free(shares);
}

static void put_share(FILE *out, uint64_t ns, uint64_t whole, const char *what) {
    fprintf(out, "  %10.3f ms  %5.1f %%  %s\n", ms(ns), whole ? 100.0 * (double)ns / (double)whole : 0, what);
}

static void put_process(const struct trace_model *model, size_t at, const struct wall *wall, FILE *out) {
    const struct story *process = &model->stories[at];
    static const char *const what[] = { "load: search, map, read", "link: versions, scopes, thread storage", "relocate", "protect: seal RELRO",
                                        "constructors", "running", "finish: destructors" };
    uint64_t phases[TRACE_PHASES] = { 0 }, told = 0, last_end = process->start;
    size_t to = model->next[at];
    for (; to < model->count; to = model->next[to]) {
        const struct story *story = &model->stories[to];
        if (story->kind == STORY_PROCESS)
            break;
        if (story->kind == STORY_PHASE && story->ended && story->event->flag < TRACE_END) {
            phases[story->event->flag] += story->duration;
            told += story->duration;
            last_end = story->start + story->duration;
        }
    }
    fputc('\n', out);
    put_plain(process->object ? traced_path(process->object) : process->name ? process->name : "?", out);
    fprintf(out, ", process %u\n", process->pid);
    uint64_t before = 0, after = 0;
    if (wall && wall->start && model->mono + process->start > wall->start)
        before = model->mono + process->start - wall->start;
    if (wall && wall->end && model->mono + last_end < wall->end)
        after = wall->end - model->mono - last_end;
    uint64_t whole = before + told + after;
    if (before)
        put_share(out, before, whole, "before the linker's first instruction: fork, execve");
    for (unsigned i = 0; i < TRACE_END; i++)
        if (phases[i])
            put_share(out, phases[i], whole, what[i]);
    if (after)
        put_share(out, after, whole, phases[TRACE_FINISH] ? "after the last destructor: exit, and the parent learns of it"
                                                          : "after the last event: running on, exit, and the parent learns of it");
    put_share(out, whole, whole, before ? "wall time" : "from the linker's first instruction to its last event");
    put_constructors(model, at, to, out);
}

void trace_text(const struct trace_model *model, const struct story_filter *filter, const struct wall *wall, FILE *out) {
    fprintf(out, "%10s %9s %7s  %-11s\n", "ms", "took ms", "pid", "event");
    struct words words = { 0 };
    words.stream = open_memstream(&words.text, &words.len);
    for (size_t i = 0; i < model->count && words.stream; i++)
        if (story_passes(&model->stories[i], filter))
            put_line(&model->stories[i], &words, out);
    if (words.stream)
        fclose(words.stream);
    free(words.text);
    if (filter->object || filter->symbol)
        return;                   /* a part was asked for */
    bool first = true;
    for (size_t i = 0; i < model->count; i++)
        if (model->stories[i].kind == STORY_PROCESS) {
            put_process(model, i, first ? wall : NULL, out);
            first = false;
        }
}
