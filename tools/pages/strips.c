/* strips.c - one segment as a picture: what each of its pages is, over all owners, in the order of the file. */
#include "pages.h"
#include "../ldr.h"

#include <stdlib.h>
#include <string.h>

void run_index_make(struct run_index *index, const struct tally *tally, const struct snapshot *snapshot) {
    uint32_t rows = tally->first_row[snapshot->object_count];
    index->first = must_alloc(rows + 2, sizeof *index->first);
    size_t *next = index->first + 1; /* filled from first[row], ends as first[row + 1] */
    for (uint32_t o = 0; o < snapshot->owner_count; o++)
        for (size_t r = 0; r < snapshot->owners[o].run_count; r++) {
            const struct run *run = &snapshot->owners[o].runs[r];
            next[tally_row(tally, run->object, run->kind) - tally->rows + 1]++;
        }
    for (uint32_t row = 0; row < rows; row++)
        next[row + 1] += next[row];
    index->refs = must_alloc(next[rows], sizeof *index->refs);
    for (uint32_t o = 0; o < snapshot->owner_count; o++)
        for (size_t r = 0; r < snapshot->owners[o].run_count; r++) {
            const struct run *run = &snapshot->owners[o].runs[r];
            index->refs[next[tally_row(tally, run->object, run->kind) - tally->rows]++] = (struct run_ref){ o, run };
        }
}

void run_index_free(struct run_index *index) {
    free(index->refs);
    free(index->first);
    *index = (struct run_index){ 0 };
}

/* Pages are counted in windows of the segment, so that a file of terabytes that is mapped here and there costs no more memory
 * than one of megabytes. */
enum { WINDOW = 1024 };

struct window {
    uint32_t counts[WINDOW][CLASSES];
    uint32_t last[WINDOW]; /* owner + 1: one that maps a page twice has it once */
    uint32_t sets[WINDOW]; /* of owners, in the painter's sets */
};

struct painter {
    const struct tally *tally;
    const struct snapshot *snapshot;
    const struct run_ref *refs;
    size_t ref_count;
    size_t *order;       /* refs by the first page of their run */
    size_t begun;        /* of these: taken into `active` already */
    size_t *active;      /* refs whose runs reach into the window or beyond, ascending: that is by owner */
    size_t active_count;
    struct strip *strips;
    size_t count, room;
    struct owner_sets sets; /* of one window: owners must come in ascending order, and begin anew in each */
    struct owner_lists *lists;
    struct window window;
};

struct start { uint64_t page; size_t ref; };

static int compare_starts(const void *a, const void *b) {
    const struct start *x = a, *y = b;
    if (x->page != y->page)
        return x->page < y->page ? -1 : 1;
    return x->ref < y->ref ? -1 : x->ref > y->ref;
}

static int compare_refs(const void *a, const void *b) {
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

/* Windows go through the file from its beginning, and each run is looked at in those it reaches into: sparse memory has as many runs as
 * windows. */
static void order_runs(struct painter *painter) {
    struct start *starts = must_alloc(painter->ref_count, sizeof *starts);
    painter->order = must_alloc(painter->ref_count, sizeof *painter->order);
    painter->active = must_alloc(painter->ref_count, sizeof *painter->active);
    for (size_t r = 0; r < painter->ref_count; r++)
        starts[r] = (struct start){ painter->refs[r].run->file_page, r };
    if (painter->ref_count)
        qsort(starts, painter->ref_count, sizeof *starts, compare_starts);
    for (size_t r = 0; r < painter->ref_count; r++)
        painter->order[r] = starts[r].ref;
    free(starts);
}

static void find_active(struct painter *painter, uint64_t from) {
    size_t kept = 0, before;
    for (size_t i = 0; i < painter->active_count; i++) {
        const struct run *run = painter->refs[painter->active[i]].run;
        if (run->file_page + run->pages > from)
            painter->active[kept++] = painter->active[i];
    }
    before = kept;
    for (; painter->begun < painter->ref_count; painter->begun++) {
        size_t ref = painter->order[painter->begun];
        const struct run *run = painter->refs[ref].run;
        if (run->file_page >= from + WINDOW)
            break;
        if (run->file_page + run->pages > from)
            painter->active[kept++] = ref;
    }
    if (kept > before)
        qsort(painter->active, kept, sizeof *painter->active, compare_refs);
    painter->active_count = kept;
}

/* Counts the window that starts at page FROM; false, with *next set, when no run reaches into it. */
static bool count_window(struct painter *painter, uint64_t from, uint64_t *next) {
    struct window *window = &painter->window;
    struct frame_cursor cursor = { 0 };
    find_active(painter, from);
    *next = painter->begun < painter->ref_count ? painter->refs[painter->order[painter->begun]].run->file_page : UINT64_MAX;
    owner_sets_free(&painter->sets);
    if (!painter->active_count)
        return false;
    memset(window, 0, sizeof *window);
    for (size_t a = 0; a < painter->active_count; a++) {
        const struct run *run = painter->refs[painter->active[a]].run;
        uint32_t owner = painter->refs[painter->active[a]].owner;
        for (size_t i = run->file_page < from ? from - run->file_page : 0; i < run->pages && run->file_page + i < from + WINDOW; i++) {
            uint64_t at = run->file_page + i - from;
            enum page_class class = page_class_of(painter->tally, painter->snapshot, owner, run, i, &cursor, NULL, NULL);
            if (class == CLASS_ABSENT || window->last[at] == owner + 1)
                continue;
            window->last[at] = owner + 1;
            window->counts[at][class]++;
            window->sets[at] = owner_set_with(&painter->sets, window->sets[at], owner);
        }
    }
    return true;
}

static struct strip strip_of(const uint32_t counts[CLASSES], uint32_t list) {
    struct strip strip = { CLASS_ABSENT, 0, 1, list };
    uint32_t most = 0;
    for (size_t class = 0; class < CLASSES; class++) {
        strip.owners += counts[class];
        if (counts[class] > most) {
            most = counts[class];
            strip.class = (enum page_class)class;
        }
    }
    return strip;
}

static void add_strip(struct painter *painter, struct strip strip) {
    struct strip *last = painter->count ? &painter->strips[painter->count - 1] : NULL;
    if (last && last->class == strip.class && last->owners == strip.owners && last->list == strip.list) {
        last->pages += strip.pages;
        return;
    }
    if (painter->count == painter->room)
        painter->strips = must_grow(painter->strips, painter->room = painter->room * 2 + 16, sizeof *painter->strips);
    painter->strips[painter->count++] = strip;
}

struct strip *row_strips(const struct run_index *index, const struct tally *tally, const struct snapshot *snapshot, uint32_t row,
                         struct owner_lists *lists, size_t *count) {
    struct painter *painter = must_alloc(1, sizeof *painter);
    painter->tally = tally;
    painter->snapshot = snapshot;
    painter->lists = lists;
    painter->refs = index->refs + index->first[row];
    painter->ref_count = index->first[row + 1] - index->first[row];
    order_runs(painter);
    uint64_t first = UINT64_MAX, end = 0;
    for (size_t r = 0; r < painter->ref_count; r++) {
        const struct run *run = painter->refs[r].run;
        first = run->file_page < first ? run->file_page : first;
        end = run->file_page + run->pages > end ? run->file_page + run->pages : end;
    }
    for (uint64_t from = first, next; from < end; ) {
        if (!count_window(painter, from, &next)) {
            next = next < end ? next : end;
            add_strip(painter, (struct strip){ CLASS_ABSENT, 0, next - from, owner_lists_add(lists, &painter->sets, 0) });
            from = next;
            continue;
        }
        for (uint64_t i = 0; i < WINDOW && from + i < end; i++)
            add_strip(painter, strip_of(painter->window.counts[i], owner_lists_add(lists, &painter->sets, painter->window.sets[i])));
        from += WINDOW;
    }
    struct strip *strips = painter->strips;
    *count = painter->count;
    owner_sets_free(&painter->sets);
    free(painter->order);
    free(painter->active);
    free(painter);
    return strips;
}
