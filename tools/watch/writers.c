/* writers.c - reads what record.c wrote, while it may still be written. */
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
    if (!fgets(line, sizeof line, in) || sscanf(line, "ldr-writes 1 %d %llu", &pid, &start) != 2) {
        warn_ldr("%s: not a record of ldr run --watch-writes", file);
        fclose(in);
        return false;
    }
    if (watch_start_time(pid) != start || start == 0) {
        warn_ldr("%s: is of process %d, which has ended", file, pid);
        fclose(in);
        return false;
    }
    writers->pid = pid;
    size_t room = 0;
    while (fgets(line, sizeof line, in)) {
        struct fault fault;
        /* a last line that is not whole yet has no end of line */
        if (!strchr(line, '\n') || sscanf(line, "%" SCNu64 " %" SCNx64 " %" SCNx64 " %c", &fault.time, &fault.page, &fault.instruction,
                                          &fault.kind) != 4 || !strchr("wkf", fault.kind))
            continue;
        fault.page &= ~(uint64_t)(PAGE - 1);
        if (writers->count == room)
            writers->list = must_grow(writers->list, room = room * 2 + 1024, sizeof *writers->list);
        writers->list[writers->count++] = fault;
    }
    fclose(in);
    if (writers->count > 1)
        qsort(writers->list, writers->count, sizeof *writers->list, compare_faults);
    return true;
}

const struct fault *writers_find(const struct writers *writers, uint64_t page) {
    size_t low = 0, high = writers->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (writers->list[middle].page < page)
            low = middle + 1;
        else
            high = middle;
    }
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
