/* agree.c - do the pages that were read add up to what the kernel counts for the process?
 *
 * The kernel's sums: VmRSS and VmSwap of status. Some kernels (6.2 to 6.15) give these without what each CPU has counted for itself, so
 * where they differ the exact sums of smaps_rollup decide: it is asked for then only, because it walks the whole address space under
 * the lock of its map, and holds up a process of gigabytes for a tenth of a second. The process may also have gone on meanwhile: only if
 * another reading finds every word as it was, with the kernel's sums read in between, do the two contradict each other. Of a large
 * process this is found out first: one that goes on is not held up.
 *
 * Without frame numbers a marker (memory guarded by userfaultfd that was never touched) looks like a page in swap. Where the kernel
 * counts nothing in swap they are markers all of them.
 */
#include "agree.h"
#include "../ldr.h"

#include <stdlib.h>
#include <string.h>

enum { LARGE = 65536 }; /* pages: two milliseconds of smaps_rollup */

struct sums { uint64_t resident, swapped, marked; };

static struct sums sums_of(const struct process *process, const struct kernel *kernel) {
    const struct owner *owner = &process->owner;
    struct sums sums = { 0 };
    for (size_t r = 0; r < owner->run_count; r++) {
        const struct run *run = &owner->runs[r];
        for (size_t i = 0; i < run->pages; i++) {
            uint64_t word = word_get(owner, kernel->method, run->word + i);
            if (word & PM_SWAPPED) {
                sums.swapped++;
                sums.marked += (word & PM_UFFD_WP) != 0;
            } else if (word & PM_PRESENT) {
                sums.resident += run->kind != SEGMENT_HUGETLB && (run->kind != SEGMENT_DEVICE || word & PM_FILE) &&
                                 !word_is_zero(kernel->method, kernel->zero_frame, kernel->huge_zero_frame, run, word);
            }
        }
    }
    return sums;
}

/* A line of smaps_rollup in pages. */
static uint64_t rollup_pages(const struct text *text, const char *name) {
    const char *at = strstr(text->bytes, name);
    return at ? strtoull(at + strlen(name), NULL, 10) / (PAGE_LEN / 1024) : 0;
}

static void drop_swapped(struct process *process, enum method method) {
    struct owner *owner = &process->owner;
    for (size_t i = 0; i < owner->word_count; i++)
        if (word_get(owner, method, i) & PM_SWAPPED)
            word_set(owner, method, i, 0);
}

/* Is every word still what it was? The words that count stay as they are: a copy is read over. */
static bool is_unchanged(struct readings *readings, struct reader *reader, const struct process *process) {
    struct process copy = *process;
    const struct owner *owner = &process->owner;
    copy.owner.runs = must_alloc(owner->run_count, sizeof *owner->runs);
    memcpy(copy.owner.runs, owner->runs, owner->run_count * sizeof *owner->runs);
    copy.vmas = must_alloc(process->vma_count, sizeof *process->vmas);
    memcpy(copy.vmas, process->vmas, process->vma_count * sizeof *process->vmas);
    words_make(&copy.owner, owner->word_count);
    memcpy(copy.owner.words, owner->words, owner->word_count * sizeof *owner->words);
    copy.owner.wide = must_alloc(owner->wide_count, sizeof *owner->wide);
    if (owner->wide_count)
        memcpy(copy.owner.wide, owner->wide, owner->wide_count * sizeof *owner->wide);
    copy.owner.wide_count = copy.owner.wide_room = owner->wide_count;
    copy.owner.contents = NULL;
    copy.owner.content_count = copy.owner.content_room = 0;
    reading_take(readings, reader, &copy);
    bool same = copy.state == PROCESS_OK && !copy.changed;
    process_free(&copy);
    return same;
}

/* Does the difference outlast another reading of both sides? */
static bool stands_still(struct readings *readings, struct reader *reader, const struct process *process) {
    struct proc_facts facts;
    return is_unchanged(readings, reader, process) && proc_facts_read(process->target->proc, &reader->text, &facts) == 0 &&
           facts.rss_pages == process->facts.rss_pages && facts.swap_pages == process->facts.swap_pages;
}

void process_compare(struct readings *readings, struct reader *reader, struct process *process) {
    const struct kernel *kernel = readings->kernel;
    bool all = readings->scope == SCOPE_ALL;
    struct proc_facts *facts = &process->facts;
    int proc = process->target->proc;
    if (proc_facts_read(proc, &reader->text, facts) != 0)
        return; /* it has just ended; what was read holds */
    bool swap_unsure = kernel->method == METHOD_IDENTITY && process->owner.wide_count;
    if (!all && !swap_unsure)
        return;
    struct sums sums = sums_of(process, kernel);
    swap_unsure &= sums.swapped != 0;
    bool differs = all && (sums.resident != facts->rss_pages || sums.swapped != facts->swap_pages);
    if (!differs && !swap_unsure)
        return;
    if (differs && !swap_unsure && process->owner.word_count >= LARGE && !stands_still(readings, reader, process))
        return;
    if (proc_read(proc, "smaps_rollup", &reader->text) != 0)
        return;
    uint64_t rss = rollup_pages(&reader->text, "\nRss:"), swap = rollup_pages(&reader->text, "\nSwap:");
    if (swap_unsure && !swap) {
        if (!is_unchanged(readings, reader, process))
            return; /* what was swapped then may be back now */
        drop_swapped(process, kernel->method);
        sums.swapped = sums.marked = 0;
    }
    /* smaps counts shared memory in swap too, which page tables do not show */
    bool swap_agrees = sums.swapped == facts->swap_pages || sums.swapped == swap;
    if (sums.marked && !(all && swap_agrees))
        process->markers = sums.marked;
    process->disagrees = all && ((sums.resident != facts->rss_pages && sums.resident != rss) || !swap_agrees) &&
                         is_unchanged(readings, reader, process);
}
