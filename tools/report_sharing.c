/* report_sharing.c - who shares with whom, as text: frames by number of owners, and the pairs that share most. */
#include "ldr.h"
#include "report.h"
#include "views/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* More processes than these have more pairs than a person reads; those that share most are among the first. */
enum { OWNERS_MAX = 1024, BAR_MAX = 40, PAIRS = 6 };

struct sharing_pair {
    uint32_t a, b;
    uint64_t frames;
};

static int compare_pairs(const void *x, const void *y) {
    const struct sharing_pair *a = x, *b = y;
    if (a->frames != b->frames)
        return a->frames > b->frames ? -1 : 1;
    if (a->a != b->a)
        return a->a < b->a ? -1 : 1;
    return a->b < b->b ? -1 : a->b > b->b;
}

static void print_histogram(const struct report *report) {
    const struct histogram *bars = report->tally->histogram;
    size_t owners = report->collection->snapshot.owner_count;
    uint64_t most = 1;
    for (size_t i = 1; i <= owners; i++)
        most = bars[i].frames > most ? bars[i].frames : most;
    printf("\n%9s  %12s  %12s\n", "processes", "frames", "pages mapped");
    for (size_t i = 1; i <= owners; i++) {
        if (!bars[i].frames)
            continue;
        int len = (int)((double)bars[i].frames * BAR_MAX / (double)most + 0.5);
        printf("%9zu  %12" PRIu64 "  %12" PRIu64 "%s%.*s\n", i, bars[i].frames, bars[i].pages, len ? "  " : "", len,
               "########################################");
    }
}

static void print_pairs(const struct report *report, size_t shown) {
    const struct collection *collection = report->collection;
    struct share_table table = { 0 };
    if (!report->sharing) {
        table.owners = matrix_owners(report, OWNERS_MAX, &table.count);
        table.frames = share_matrix(report->tally, collection->snapshot.owner_count, table.owners, table.count);
    }
    const struct share_table *shared = report->sharing ? report->sharing : &table;
    size_t count = shared->count;
    struct sharing_pair *pairs = must_alloc(count * count / 2 + 1, sizeof *pairs);
    size_t pair_count = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++)
            if (shared->frames[i * count + j])
                pairs[pair_count++] = (struct sharing_pair){ shared->owners[i], shared->owners[j], shared->frames[i * count + j] };
    qsort(pairs, pair_count, sizeof *pairs, compare_pairs);
    if (pair_count)
        printf("\n%12s  %s\n", "frames", "shared by");
    for (size_t i = 0; i < pair_count && (i < shown || !shown); i++) {
        const struct owner_name *a = &collection->names[pairs[i].a], *b = &collection->names[pairs[i].b];
        char *a_name = clean_text(a->name), *b_name = clean_text(b->name);
        printf("%12" PRIu64 "  %s (%d) and %s (%d)\n", pairs[i].frames, a_name, (int)a->pids[0], b_name, (int)b->pids[0]);
        free(a_name);
        free(b_name);
    }
    if (shown && pair_count > shown)
        printf("%12s  %zu more pairs (--top 0 shows all)\n", "...", pair_count - shown);
    free(pairs);
    free(table.frames);
    free(table.owners);
}

void report_sharing(const struct report *report) {
    print_histogram(report);
    print_pairs(report, report->top == TOP_FIT ? PAIRS : report->top);
    putchar('\n');
}
