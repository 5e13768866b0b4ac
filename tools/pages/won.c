/* won.c - what could be won: frames that are there now and need not be. Pure.
 *
 *   relocated    private copies that only relocation made, of one page of one object, with the same bytes in two or more owners: one copy
 *                would do for all. Known where the causes are.
 *   duplicates   pages of two files of one build-id, both mapped, with the same bytes: one file would do. What the files hold decides and
 *                not the build-id alone; files that share their frames (overlays over one lower file), or may (aliases.c), win nothing.
 *
 * Both are counted at rows, so that they add up as everything else does. Of equal file pages the file with most mapped pages keeps its own,
 * and the others' count.
 */
#include "pages.h"
#include "../guard.h"
#include "../ldr.h"

#include <stdlib.h>
#include <string.h>

/* ---- relocated ---- */

struct relocated {
    uint32_t row, owner;
    uint64_t vaddr, frame; /* frame 0: not known, nobody else's */
    struct digest digest;
};

struct relocateds { struct relocated *list; size_t count, room; };

static const struct run *run_of_word(const struct owner *owner, size_t word) {
    size_t low = 0, high = owner->run_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (owner->runs[middle].word <= word)
            low = middle;
        else
            high = middle;
    }
    return &owner->runs[low];
}

static void add_relocated(struct relocateds *to, const struct tally *tally, const struct snapshot *snapshot, uint32_t owner_index,
                          const struct content *content, struct frame_cursor *cursor) {
    const struct owner *owner = &snapshot->owners[owner_index];
    const struct run *run = run_of_word(owner, content->word);
    uint64_t word = word_get(owner, snapshot->method, content->word);
    struct relocated new = { .owner = owner_index, .digest = content->digest };
    if (!(word & PM_PRESENT) || word & PM_FILE)
        return;
    new.vaddr = run->addr + ((uint64_t)(content->word - run->word) << PAGE_SHIFT) - run->bias;
    new.row = (uint32_t)(tally_row(tally, run->object, run->kind) - tally->rows);
    if (snapshot->method == METHOD_FRAMES) {
        new.frame = word & PM_FRAME;
        const struct frame *frame = frame_find(&tally->frames, cursor, new.frame);
        if (!frame || frame_owners(&tally->frames, frame) != 1 || frame->cause != CAUSE_RELOCATION)
            return;
        new.row = frame->row;
    } else if (!(word & PM_EXCLUSIVE)) {
        return; /* somebody has it too already, and who cannot be told: the number is a lower bound */
    }
    if (to->count == to->room)
        to->list = must_grow(to->list, to->room = to->room * 2 + 1024, sizeof *to->list);
    to->list[to->count++] = new;
}

static void find_relocated(struct relocateds *to, const struct tally *tally, const struct snapshot *snapshot, uint32_t owner_index) {
    const struct owner *owner = &snapshot->owners[owner_index];
    if (!owner->content_count)
        return;
    struct frame_cursor cursor = { 0 };
    uint8_t *seen = must_alloc(owner->word_count / 8 + 1, 1);
    for (size_t i = owner->content_count; i-- > 0; ) {
        const struct content *content = &owner->contents[i];
        uint8_t bit = (uint8_t)(1 << content->word % 8);
        if (seen[content->word / 8] & bit)
            continue;
        seen[content->word / 8] |= bit;
        if (cause_get(owner, content->word) == CAUSE_RELOCATION)
            add_relocated(to, tally, snapshot, owner_index, content, &cursor);
    }
    free(seen);
}

static int compare_contents(const struct relocated *x, const struct relocated *y) {
    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    if (x->vaddr != y->vaddr)
        return x->vaddr < y->vaddr ? -1 : 1;
    for (int h = 0; h < 2; h++)
        if (x->digest.half[h] != y->digest.half[h])
            return x->digest.half[h] < y->digest.half[h] ? -1 : 1;
    return 0;
}

static int compare_relocated(const void *a, const void *b) {
    const struct relocated *x = a, *y = b;
    int order = compare_contents(x, y);
    if (order)
        return order;
    if (x->owner != y->owner)
        return x->owner < y->owner ? -1 : 1;
    return x->frame < y->frame ? -1 : x->frame > y->frame;
}

static void add_won_page(struct tally *tally, uint32_t object, uint64_t vaddr, uint64_t won, size_t *room) {
    struct won_page *last = tally->won_page_count ? &tally->won_pages[tally->won_page_count - 1] : NULL;
    if (last && last->object == object && last->vaddr == vaddr) {
        last->won += won; /* other content of the same page */
        return;
    }
    if (tally->won_page_count == *room)
        tally->won_pages = must_grow(tally->won_pages, *room = *room * 2 + 64, sizeof *tally->won_pages);
    tally->won_pages[tally->won_page_count++] = (struct won_page){ object, vaddr, won };
}

static void count_relocated(struct tally *tally, const struct snapshot *snapshot) {
    struct relocateds all = { 0 };
    size_t room = 0;
    for (uint32_t o = 0; o < snapshot->owner_count; o++)
        find_relocated(&all, tally, snapshot, o);
    if (all.count > 1)
        qsort(all.list, all.count, sizeof *all.list, compare_relocated);
    for (size_t i = 0, end; i < all.count; i = end) {
        uint64_t frames = 0;
        for (end = i; end < all.count && compare_contents(&all.list[i], &all.list[end]) == 0; end++)
            frames += end == i || !all.list[end].frame || all.list[end].frame != all.list[end - 1].frame;
        if (all.list[i].owner == all.list[end - 1].owner)
            continue;
        struct row *row = &tally->rows[all.list[i].row];
        row->counts.won_relocated += frames - 1;
        add_won_page(tally, row->object, all.list[i].vaddr, frames - 1, &room);
    }
    free(all.list);
}

/* ---- duplicates ---- */

/* One of the files there are twice. */
struct twin {
    const struct object *object;
    uint32_t index;
    uint64_t pages; /* mapped, over all owners */
};

/* A page of such a file that somebody maps. Kept one by one and not by page of the file: a file may be as long as it likes. */
struct held {
    uint64_t page;
    uint64_t frame; /* what the page cache has it in */
    uint32_t twin, row;
};

struct helds { struct held *list; size_t count, room; };

static int compare_ids(const struct twin *x, const struct twin *y) {
    if (x->object->build_id_len != y->object->build_id_len)
        return x->object->build_id_len < y->object->build_id_len ? -1 : 1;
    return memcmp(x->object->build_id, y->object->build_id, x->object->build_id_len);
}

static int compare_twins(const void *a, const void *b) {
    const struct twin *x = a, *y = b;
    int order = compare_ids(x, y);
    if (order)
        return order;
    if (x->pages != y->pages)
        return x->pages > y->pages ? -1 : 1;
    order = strcmp(x->object->path, y->object->path);
    return order ? order : x->index < y->index ? -1 : x->index > y->index;
}

/* All objects with a build-id that another has too; those of one id follow each other. */
static struct twin *find_twins(const struct tally *tally, const struct snapshot *snapshot, size_t *count) {
    struct twin *list = must_alloc(snapshot->object_count, sizeof *list);
    size_t all = 0;
    for (uint32_t i = 0; i < snapshot->object_count; i++) {
        const struct object *object = &snapshot->objects[i];
        if (object->kind != OBJECT_ELF || !object->build_id_len || !object->file)
            continue;
        list[all] = (struct twin){ .object = object, .index = i };
        for (uint32_t r = tally->first_row[i]; r < tally->first_row[i + 1]; r++)
            list[all].pages += tally->rows[r].counts.pages;
        all++;
    }
    if (all > 1)
        qsort(list, all, sizeof *list, compare_twins);
    *count = 0;
    for (size_t i = 0, end; i < all; i = end) {
        for (end = i + 1; end < all && compare_ids(&list[i], &list[end]) == 0; end++)
            ;
        for (size_t k = i; k < end && end - i > 1; k++)
            list[(*count)++] = list[k];
    }
    return list;
}

static void add_held(struct helds *to, struct held held) {
    if (to->count == to->room)
        to->list = must_grow(to->list, to->room = to->room * 2 + 1024, sizeof *to->list);
    to->list[to->count++] = held;
}

/* Every page of the twins that is mapped, once for each. */
static void find_held(struct helds *to, const struct twin *twins, size_t count, const struct tally *tally, const struct snapshot *snapshot) {
    uint32_t *twin_of = must_alloc(snapshot->object_count, sizeof *twin_of); /* 1 + index */
    struct frame_set seen = { 0 };
    struct frame_cursor cursor = { 0 };
    for (size_t i = 0; i < count; i++)
        twin_of[twins[i].index] = (uint32_t)i + 1;
    for (size_t o = 0; o < snapshot->owner_count; o++) {
        const struct owner *owner = &snapshot->owners[o];
        for (size_t r = 0; r < owner->run_count; r++) {
            const struct run *run = &owner->runs[r];
            uint32_t twin = twin_of[run->object];
            if (!twin || run->pack || run->kind > SEGMENT_OTHER)
                continue;
            uint64_t file_pages = (twins[twin - 1].object->file_len + PAGE_LEN - 1) >> PAGE_SHIFT;
            for (size_t i = 0; i < run->pages; i++) {
                uint64_t word = word_get(owner, snapshot->method, run->word + i), page = run->file_page + i;
                if (!(word & PM_PRESENT) || !(word & PM_FILE) || page >= file_pages ||
                    frame_add(&seen, &cursor, page_key(run->object, page), 0, 0, false, CAUSE_UNKNOWN) != FRAME_FIRST)
                    continue;
                add_held(to, (struct held){ .page = page, .twin = twin - 1, .row = (uint32_t)(tally_row(tally, run->object, run->kind) - tally->rows),
                                            .frame = snapshot->method == METHOD_FRAMES ? word & PM_FRAME : (uint64_t)run->object + 1 });
            }
        }
    }
    frame_set_free(&seen);
    free(twin_of);
}

struct pair { const struct object *a, *b; uint64_t page; bool same; };

static void compare_pages(void *context) {
    struct pair *pair = context;
    uint64_t off = pair->page << PAGE_SHIFT, a_len = pair->a->file_len - off, b_len = pair->b->file_len - off;
    a_len = a_len < PAGE_LEN ? a_len : PAGE_LEN;
    b_len = b_len < PAGE_LEN ? b_len : PAGE_LEN;
    pair->same = a_len == b_len && memcmp((const char *)pair->a->file + off, (const char *)pair->b->file + off, a_len) == 0;
}

static bool same_page(const struct object *a, const struct object *b, uint64_t page) {
    struct pair pair = { a, b, page, false };
    return guarded(compare_pages, &pair) && pair.same;
}

static int compare_held(const void *a, const void *b) {
    const struct held *x = a, *y = b;
    if (x->page != y->page)
        return x->page < y->page ? -1 : 1;
    if (x->frame != y->frame)
        return x->frame < y->frame ? -1 : 1;
    return x->twin < y->twin ? -1 : x->twin > y->twin;
}

static int compare_held_twins(const void *a, const void *b) {
    const struct held *x = a, *y = b;
    return x->twin < y->twin ? -1 : x->twin > y->twin;
}

/* Frames of one page that others of the files have too. HELD are that page's, ascending by frame. */
static uint64_t count_page(struct tally *tally, const struct twin *twins, struct held *held, size_t count, bool by_identity) {
    size_t distinct = 0, kept = 0;
    uint64_t won = 0;
    for (size_t i = 0; i < count; i++)
        if (i == 0 || held[i].frame != held[i - 1].frame)
            held[distinct++] = held[i];
    qsort(held, distinct, sizeof *held, compare_held_twins);
    for (size_t i = 0; i < distinct; i++) {
        const struct object *object = twins[held[i].twin].object;
        bool maybe_one = false;
        size_t k = 0;
        for (; k < kept && !same_page(twins[held[k].twin].object, object, held[i].page); k++)
            ;
        for (size_t other = 0; other < kept && !maybe_one && by_identity; other++)
            maybe_one = objects_may_be_one(twins[held[other].twin].object, object);
        if (maybe_one)
            continue;
        if (k == kept) {
            held[kept++] = held[i];
            continue;
        }
        tally->rows[held[i].row].counts.won_duplicates++;
        won++;
    }
    return won;
}

/* COUNT files of one build-id, the first of them FIRST of all twins. */
static void add_duplicates(struct tally *tally, const struct twin *twins, size_t first, size_t count, const struct helds *all, bool by_identity) {
    struct duplicates new = { .count = count, .objects = must_alloc(count, sizeof *new.objects) };
    struct helds own = { 0 };
    for (size_t i = 0; i < count; i++)
        new.objects[i] = twins[first + i].index;
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i].twin - first < count)
            add_held(&own, all->list[i]);
    if (own.count)
        qsort(own.list, own.count, sizeof *own.list, compare_held);
    for (size_t i = 0, end; i < own.count; i = end) {
        for (end = i + 1; end < own.count && own.list[end].page == own.list[i].page; end++)
            ;
        new.won += count_page(tally, twins, &own.list[i], end - i, by_identity);
    }
    free(own.list);
    tally->duplicates = must_grow(tally->duplicates, tally->duplicates_count + 1, sizeof *tally->duplicates);
    tally->duplicates[tally->duplicates_count++] = new;
}

static int compare_duplicates(const void *a, const void *b) {
    const struct duplicates *x = a, *y = b;
    if (x->won != y->won)
        return x->won > y->won ? -1 : 1;
    return x->objects[0] < y->objects[0] ? -1 : 1;
}

static void count_duplicates(struct tally *tally, const struct snapshot *snapshot) {
    size_t count;
    struct twin *twins = find_twins(tally, snapshot, &count);
    struct helds held = { 0 };
    find_held(&held, twins, count, tally, snapshot);
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && compare_ids(&twins[i], &twins[end]) == 0; end++)
            ;
        add_duplicates(tally, twins, i, end - i, &held, snapshot->method == METHOD_IDENTITY);
    }
    if (tally->duplicates_count > 1)
        qsort(tally->duplicates, tally->duplicates_count, sizeof *tally->duplicates, compare_duplicates);
    free(held.list);
    free(twins);
}

void won_count(struct tally *tally, const struct snapshot *snapshot) {
    count_relocated(tally, snapshot);
    count_duplicates(tally, snapshot);
}
