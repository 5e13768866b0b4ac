/* writers.c - reads what record.c wrote, while it may still be written. */
#include "../host/life.h"
#include "../ldr.h"
#include "watch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare_faults(const void *a, const void *b) {
    const struct fault *x = a, *y = b;
    if (x->page != y->page)
        return x->page < y->page ? -1 : 1;
    return x->time < y->time ? -1 : x->time > y->time;
}

/* ---- what is at an address no more ---- */

struct change { uint64_t time, start, end; }; /* something else was mapped there then */

struct changes { struct change *list; size_t count, room; };

static void add_change(struct changes *to, struct change change) {
    if (to->count == to->room)
        to->list = must_grow(to->list, to->room = to->room * 2 + 256, sizeof *to->list);
    to->list[to->count++] = change;
}

static int compare_latest_first(const void *a, const void *b) {
    const struct change *x = a, *y = b;
    return x->time > y->time ? -1 : x->time < y->time;
}

/* The first fault from AT on whose page's latest change is not known yet: NEXT leads from each to a later one, shortened on the way. */
static size_t next_unknown(size_t *next, size_t at) {
    size_t found = at;
    while (next[found] != found)
        found = next[found];
    while (next[at] != found) {
        size_t after = next[at];
        next[at] = found;
        at = after;
    }
    return found;
}

static size_t first_from(const struct writers *writers, uint64_t page) {
    size_t low = 0, high = writers->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (writers->list[middle].page < page)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Drops the faults, sorted, that came before the latest change of their page: they were in what is gone. Latest changes first, so that
 * each fault is met once, however often a program maps and unmaps. */
static void drop_gone(struct writers *writers, struct changes *changes) {
    size_t *next = must_alloc(writers->count + 1, sizeof *next), kept = 0;
    for (size_t i = 0; i <= writers->count; i++)
        next[i] = i;
    if (changes->count)
        qsort(changes->list, changes->count, sizeof *changes->list, compare_latest_first);
    for (size_t c = 0; c < changes->count; c++) {
        const struct change *change = &changes->list[c];
        for (size_t i = next_unknown(next, first_from(writers, change->start)); i < writers->count && writers->list[i].page < change->end;
             i = next_unknown(next, i)) {
            if (writers->list[i].time < change->time)
                writers->list[i].kind = '\0';
            next[i] = i + 1;
        }
    }
    for (size_t i = 0; i < writers->count; i++)
        if (writers->list[i].kind)
            writers->list[kept++] = writers->list[i];
    writers->count = kept;
    free(next);
}

bool writers_read(const char *file, struct writers *writers) {
    enum { PAGE = 4096 };
    *writers = (struct writers){ 0 };
    FILE *in = fopen(file, "re");
    char line[160];
    int pid;
    unsigned long long start;
    if (!in) {
        warn_ldr("%s: %s", file, strerror(errno));
        return false;
    }
    char seen[16] = "";
    if (!fgets(line, sizeof line, in) || sscanf(line, "ldr-writes 1 %d %llu %15s", &pid, &start, seen) < 2) {
        warn_ldr("%s: not a record of ldr run --watch-writes", file);
        fclose(in);
        return false;
    }
    if (life_number(pid, LIFE_START) != start || start == 0) {
        warn_ldr("%s: is of process %d, which has ended", file, pid);
        fclose(in);
        return false;
    }
    writers->pid = pid;
    /* one that does not tell may have seen the least */
    for (enum watch_seen i = SEEN_USER_FAULTS; i <= SEEN_WRITES; i++)
        if (strcmp(seen, watch_seen_name(i)) == 0)
            writers->seen = i;
    size_t room = 0;
    struct changes changes = { 0 };
    while (fgets(line, sizeof line, in)) {
        struct fault fault;
        /* a last line that is not whole yet has no end of line */
        if (!strchr(line, '\n') || sscanf(line, "%" SCNu64 " %" SCNx64 " %" SCNx64 " %c", &fault.time, &fault.page, &fault.instruction,
                                          &fault.kind) != 4 || !strchr("wkfmx", fault.kind))
            continue;
        if (fault.kind == 'x' || fault.kind == 'm') {
            uint64_t end;
            if (fault.kind == 'x' || __builtin_add_overflow(fault.page, fault.instruction, &end))
                end = UINT64_MAX;
            add_change(&changes, (struct change){ fault.time, fault.kind == 'x' ? 0 : fault.page, end });
            continue;
        }
        fault.page &= ~(uint64_t)(PAGE - 1);
        if (writers->count == room)
            writers->list = must_grow(writers->list, room = room * 2 + 1024, sizeof *writers->list);
        writers->list[writers->count++] = fault;
    }
    fclose(in);
    if (writers->count > 1)
        qsort(writers->list, writers->count, sizeof *writers->list, compare_faults);
    drop_gone(writers, &changes);
    free(changes.list);
    return true;
}

const struct fault *writers_find(const struct writers *writers, uint64_t page) {
    size_t low = first_from(writers, page);
    const struct fault *last = NULL;
    for (; low < writers->count && writers->list[low].page == page; low++) {
        if (writers->list[low].kind != 'f')
            return &writers->list[low];
        last = &writers->list[low];
    }
    return last;
}

void writers_free(struct writers *writers) {
    free(writers->list);
    *writers = (struct writers){ 0 };
}
