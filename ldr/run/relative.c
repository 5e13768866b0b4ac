/* relative.c - relative entries, most of all relocations: a million in a large C++ program. A loop of one comparison and one store;
 * the place is compared with the hull of the writable segments. The pages they are about to write are made private in batches
 * (MADV_POPULATE_WRITE): a batched page costs half of a fault. */
#include "relocate.h"

#define CHUNK 16384u                  /* entries whose pages are made private in one go: 32 pages when dense */

/* ---- batches of pages ------------------------------------------------------------------------------------------------ */

void page_run_flush(struct page_run *run)
{
    if (run->end - run->start > 2 * LDR_PAGE && !session.populate_refused &&
        sys_madvise((void *)run->start, run->end - run->start, MADV_POPULATE_WRITE) == -22)
        session.populate_refused = true;
    run->start = run->end = 0;
}

void page_run_add(struct page_run *run, u64 addr)
{
    u64 page = align_down(addr, LDR_PAGE);
    if (page == run->end) {
        run->end += LDR_PAGE;
    } else if (page < run->start || page > run->end) {
        page_run_flush(run);
        run->start = page;
        run->end = page + LDR_PAGE;
    }
}

/* Entries are sorted by place (link editors sort relative ones), so the first entry of the next page need not be walked to: pages hold
 * about as many as the one before did, and from that guess a few neighbours are looked at. Unsorted entries cost ordinary faults,
 * nothing else. */
static void populate_ahead(const struct walk *walk, const Elf64_Rela *from, const Elf64_Rela *end)
{
    struct page_run run = { 0 };
    u64 stride = 1;
    for (const Elf64_Rela *r = from; r < end;) {
        if (r->r_info != R_X86_64_RELATIVE || r->r_offset - walk->lo > walk->len - 8)
            break;
        page_run_add(&run, walk->bias + r->r_offset);
        u64 page_end = align_down(walk->bias + r->r_offset, LDR_PAGE) + LDR_PAGE - walk->bias, left = (u64)(end - r);
        u64 next = stride < left ? stride : left;               /* in search of the first entry at or behind page_end */
        while (next < left && r[next].r_offset < page_end)
            next++;
        while (next > 1 && r[next - 1].r_offset >= page_end)
            next--;
        stride = next;
        r += next;
    }
    page_run_flush(&run);
}

/* ---- relative -------------------------------------------------------------------------------------------------------- */

/* Applies relative entries up to the first other one, and returns where it stopped. */
static const Elf64_Rela *apply_stretch(const struct walk *walk, const Elf64_Rela *r, const Elf64_Rela *end)
{
    const u64 bias = walk->bias, lo = walk->lo, reach = walk->len - 8;
    for (; r < end; r++) {
        u64 place = r->r_offset;
        /* The processor's own prefetcher stops at each page of the table; places are written in order and need none. */
        __builtin_prefetch((const char *)r + 2048);
        if (UNLIKELY(r->r_info != R_X86_64_RELATIVE || place - lo > reach))
            break;
        *(u64 *)(bias + place) = bias + (u64)r->r_addend;
    }
    return r;
}

const Elf64_Rela *apply_relative(const struct walk *walk, const Elf64_Rela *r, const Elf64_Rela *end)
{
    while (r < end) {
        const Elf64_Rela *stop = (u64)(end - r) > CHUNK ? r + CHUNK : end;
        if ((u64)(stop - r) >= 64 && !walk->object->data_private)
            populate_ahead(walk, r, stop);
        const Elf64_Rela *done = apply_stretch(walk, r, stop);
        if (done != stop)
            return done;
        r = done;
    }
    return r;
}

/* RELR: a word with bit 0 clear is a place; one with bit 0 set is a bitmap of the 63 words that follow the last place
 * (generic-abi proposal "RELR", gABI draft). */
int apply_relr(struct walk *walk)
{
    const struct relr_table *table = &walk->object->image.relr;
    const u64 bias = walk->bias, lo = walk->lo, reach = walk->len - 8;
    struct page_run run = { 0 };
    u64 next = 0;
    for (u64 i = 0; i < table->count; i++) {
        u64 entry = table->at[i];
        if (!(entry & 1)) {
            if (entry - lo > reach && !place_fits(walk, entry, 8))
                return bad_place(walk, entry);
            page_run_add(&run, bias + entry);
            next = entry + 8;
        } else {
            /* The bitmap's reach must stay writable as far as it has bits. */
            u64 span = (63 - (u64)__builtin_clzll(entry)) * 8;
            if (entry > 1 && (next - lo > reach || next + span - 8 - lo > reach))
                for (u64 bits = entry >> 1, place = next; bits; bits >>= 1, place += 8)
                    if ((bits & 1) && !place_fits(walk, place, 8))
                        return bad_place(walk, place);
            if (entry > 1)
                page_run_add(&run, bias + next + (u64)(__builtin_ctzll(entry & ~1ull) - 1) * 8);
            next += 63 * 8;
        }
    }
    if (!walk->object->data_private)
        page_run_flush(&run);
    u64 *at = (u64 *)bias;            /* a bitmap that comes first counts from 0, as above */
    for (u64 i = 0; i < table->count; i++) {
        u64 entry = table->at[i];
        if (!(entry & 1)) {
            at = (u64 *)(bias + entry);
            *at++ += bias;
        } else {
            u64 *word = at;
            for (u64 bits = entry >> 1; bits; bits >>= 1, word++)
                if (bits & 1)
                    *word += bias;
            at += 63;
        }
    }
    return 0;
}

