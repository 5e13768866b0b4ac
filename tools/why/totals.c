/* totals.c - sums by section, what could be won, and in which order things are told. */
#include "../ldr.h"
#include "why.h"

#include <stdlib.h>
#include <string.h>

/* ---- sections ---- */

/* Words of the page at PAGE that lie in [from, end), as bits. A word that two sections share is in both. */
static void words_between(uint64_t page, uint64_t from, uint64_t end, uint64_t bits[CAUSE_WORDS / 64]) {
    uint64_t first = from <= page ? 0 : (from - page) / 8, last = end >= page + PAGE_LEN ? CAUSE_WORDS : (end - page + 7) / 8;
    memset(bits, 0, CAUSE_WORDS / 8);
    for (uint64_t word = first; word < last; word++)
        bits[word / 64] |= UINT64_C(1) << word % 64;
}

static bool any_of(const uint64_t a[CAUSE_WORDS / 64], const uint64_t b[CAUSE_WORDS / 64]) {
    for (size_t i = 0; i < CAUSE_WORDS / 64; i++)
        if (a[i] & b[i])
            return true;
    return false;
}

static void look_at_section(struct story *story, struct why_section *sum) {
    const struct why_memory *memory = story->memory;
    uint64_t from = sum->section->vaddr, end = from + sum->section->len;
    uint64_t last = UINT64_MAX;
    for (size_t i = 0; i < memory->mapped_count; i++) {
        uint64_t page = memory->mapped[i];
        if (page >= end || page + PAGE_LEN <= from)
            continue;
        sum->mapped++;
        sum->pages += page != last;
        last = page;
    }
    for (size_t p = 0; p < memory->page_count; p++) {
        const struct why_page *page = &memory->pages[p];
        uint64_t here[CAUSE_WORDS / 64];
        if (page->vaddr >= end || page->vaddr + PAGE_LEN <= from)
            continue;
        words_between(page->vaddr, from, end, here);
        sum->frames += page->frames;
        for (size_t cause = 0; cause < CAUSES; cause++)
            sum->causes[cause] += page->causes[cause];
        for (size_t c = 0; c < page->copy_count; c++) {
            if (!page->copies[c].counts)
                continue;
            sum->relocated_copies += any_of(page->copies[c].relocated, here);
            sum->written_copies += any_of(page->copies[c].written, here);
        }
    }
    for (size_t i = 0; i < story->relocation_count; i++)
        sum->relocations += story->relocations[i].place->vaddr >= from && story->relocations[i].place->vaddr < end;
    for (size_t i = 0; i < story->piece_count; i++)
        if (story->pieces[i].answer->vaddr >= from && story->pieces[i].answer->vaddr < end)
            sum->written_bytes += story->pieces[i].bytes;
}

void story_sections(struct story *story) {
    size_t count;
    const struct debuginfo_section *sections = debuginfo_sections(story->debuginfo, &count);
    story->sections = must_alloc(count, sizeof *story->sections);
    for (size_t i = 0; i < count; i++) {
        struct why_section sum = { .section = &sections[i] };
        look_at_section(story, &sum);
        if (sum.mapped)
            story->sections[story->section_count++] = sum;
    }
}

/* ---- what could be won ---- */

struct candidate { uint32_t page; uint64_t frames, bytes; };

static int compare_candidates(const void *a, const void *b) {
    const struct candidate *x = a, *y = b;
    if (x->bytes * y->frames != y->bytes * x->frames) /* least to move for each copy first */
        return x->bytes * y->frames < y->bytes * x->frames ? -1 : 1;
    return x->page < y->page ? -1 : x->page > y->page;
}

static int compare_won(const void *a, const void *b, void *context) {
    const struct story *story = context;
    const struct why_variable *x = &story->variables[*(const uint32_t *)a], *y = &story->variables[*(const uint32_t *)b];
    if (x->alone_copies != y->alone_copies)
        return x->alone_copies > y->alone_copies ? -1 : 1;
    if (x->written_copies != y->written_copies)
        return x->written_copies > y->written_copies ? -1 : 1;
    return x->vaddr < y->vaddr ? -1 : x->vaddr > y->vaddr;
}

/* Bytes that moving a variable needs: all of it; where its end is not known, the word that was seen of it. */
static uint64_t bytes_to_move(const struct why_variable *variable) { return variable->len ? variable->len : variable->answer->len; }

/* The variables written on each page that nothing else makes private: moved elsewhere they leave it the file's. Elsewhere they
 * need room, in every process that writes them. Only variables can be moved: a page on which code or a table of the link editor's
 * (.dynamic, the GOT) was written is left. Pages are taken, cheapest first, as long as more is won than the room costs. */
void story_savings(struct story *story) {
    const struct why_memory *memory = story->memory;
    struct why_savings *savings = &story->savings;
    struct candidate *candidates = must_alloc(memory->page_count, sizeof *candidates);
    uint32_t *last_page = must_alloc(story->variable_count, sizeof *last_page);
    size_t count = 0, piece = 0;
    uint64_t processes = 0;
    story->won = must_alloc(memory->page_count, sizeof *story->won);
    for (size_t p = 0; p < memory->page_count; p++) {
        const struct why_page *page = &memory->pages[p];
        struct candidate candidate = { (uint32_t)p, page->causes[CAUSE_WRITE], 0 };
        bool fixed = false;
        while (piece < story->piece_count && story->pieces[piece].page < p)
            piece++;
        for (size_t i = piece; i < story->piece_count && story->pieces[i].page == p; i++) {
            uint32_t variable = story->pieces[i].variable;
            const struct debuginfo_section *section = debuginfo_section_at(story->debuginfo, story->pieces[i].answer->vaddr);
            fixed |= section && section->fixed;
            if (last_page[variable] != p + 1)
                candidate.bytes += bytes_to_move(&story->variables[variable]);
            last_page[variable] = (uint32_t)p + 1;
        }
        if (candidate.frames && candidate.bytes && candidate.bytes < PAGE_LEN && !fixed) {
            candidates[count++] = candidate;
            story->won[p] = candidate.frames;
            if (page->processes > processes)
                processes = page->processes;
        }
    }
    if (count > 1)
        qsort(candidates, count, sizeof *candidates, compare_candidates);
    uint64_t frames = 0, bytes = 0;
    for (size_t i = 0; i < count; i++) {
        frames += candidates[i].frames;
        bytes += candidates[i].bytes;
        uint64_t cost = (bytes + PAGE_LEN - 1) / PAGE_LEN * processes;
        if (frames > cost && frames - cost > savings->frames - savings->cost)
            *savings = (struct why_savings){ frames, cost, i + 1, bytes, NULL, 0 };
    }
    /* the variables of the pages taken */
    bool *taken = must_alloc(memory->page_count, sizeof *taken), *named = must_alloc(story->variable_count, sizeof *named);
    for (size_t i = 0; i < savings->pages; i++)
        taken[candidates[i].page] = true;
    savings->variables = must_alloc(story->variable_count, sizeof *savings->variables);
    for (size_t i = 0; i < story->piece_count; i++) {
        uint32_t variable = story->pieces[i].variable;
        if (taken[story->pieces[i].page] && !named[variable])
            savings->variables[savings->variable_count++] = variable;
        named[variable] |= taken[story->pieces[i].page];
    }
    if (savings->variable_count > 1)
        qsort_r(savings->variables, savings->variable_count, sizeof *savings->variables, compare_won, story);
    free(named);
    free(taken);
    free(last_page);
    free(candidates);
}

/* By the same count as the report's: of the pages asked for. */
void story_shared(struct story *story, const struct tally *tally) {
    const struct why_memory *memory = story->memory;
    story->shared_won = must_alloc(memory->page_count, sizeof *story->shared_won);
    for (size_t i = 0; i < tally->won_page_count; i++) {
        const struct won_page *won = &tally->won_pages[i];
        const struct why_page *page = won->object == memory->object ? why_page_at(memory, won->vaddr) : NULL;
        if (!page)
            continue;
        story->shared_won[page - memory->pages] += won->won;
        story->shared_won_sum += won->won;
    }
}

/* ---- orders ---- */

static int compare_pages(const void *a, const void *b, void *context) {
    const struct story *story = context;
    size_t i = *(const size_t *)a, k = *(const size_t *)b;
    const struct why_page *x = &story->memory->pages[i], *y = &story->memory->pages[k];
    if (story->won[i] != story->won[k])
        return story->won[i] > story->won[k] ? -1 : 1;
    /* then pages where something was written, then by copies */
    uint64_t x_written = x->causes[CAUSE_RELOCATION_AND_WRITE] + x->causes[CAUSE_WRITE];
    uint64_t y_written = y->causes[CAUSE_RELOCATION_AND_WRITE] + y->causes[CAUSE_WRITE];
    if (x_written != y_written)
        return x_written > y_written ? -1 : 1;
    if (x->frames != y->frames)
        return x->frames > y->frames ? -1 : 1;
    return i < k ? -1 : i > k;
}

size_t *pages_order(const struct story *story) {
    size_t count = story->memory->page_count, *order = must_alloc(count, sizeof *order);
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    if (count > 1)
        qsort_r(order, count, sizeof *order, compare_pages, (void *)(uintptr_t)story);
    return order;
}

static int compare_variables(const void *a, const void *b, void *context) {
    const struct story *story = context;
    size_t i = *(const size_t *)a, k = *(const size_t *)b;
    const struct why_variable *x = &story->variables[i], *y = &story->variables[k];
    const uint64_t keys[][2] = { { x->alone_copies, y->alone_copies }, { x->written_copies, y->written_copies },
                                 { x->relocated_copies, y->relocated_copies }, { x->relocations, y->relocations } };
    for (size_t n = 0; n < sizeof keys / sizeof *keys; n++)
        if (keys[n][0] != keys[n][1])
            return keys[n][0] > keys[n][1] ? -1 : 1;
    return i < k ? -1 : i > k;
}

size_t *variables_order(const struct story *story, size_t *count) {
    size_t *order = must_alloc(story->variable_count, sizeof *order);
    *count = 0;
    for (size_t i = 0; i < story->variable_count; i++)
        if (story->variables[i].processes || story->variables[i].relocations) /* not a neighbour that was asked for */
            order[(*count)++] = i;
    if (*count > 1)
        qsort_r(order, *count, sizeof *order, compare_variables, (void *)(uintptr_t)story);
    return order;
}
