/* fuzz.c - see fuzz.h. */
#include "fuzz.h"

#include <sanitizer/asan_interface.h>

#define COPY_MAX (1u << 20)           /* spans larger than this are left to the file rule: copying them would be the whole run */

static void take(struct report *report, const struct problem *problem)
{
    (void)report;
    MUST(problem->code > 0 && problem->code < LDR_E_COUNT);
    MUST(problem->object != NULL);
}

struct report fuzz_report = { take };

struct block { struct block *next; };

static void *block_more(struct arena *arena, size_t need, size_t *got)
{
    struct block *block = need < 1u << 28 ? malloc(sizeof *block + 16 + need) : NULL;
    if (!block)
        return NULL;
    block->next = arena->chunks;
    arena->chunks = block;
    *got = need;
    return (char *)block + 16;
}

void fuzz_arena(struct arena *arena)
{
    *arena = (struct arena){ .more = block_more };
}

void fuzz_arena_free(struct arena *arena)
{
    for (struct block *block = arena->chunks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    arena->chunks = NULL;
}

void touch(const void *bytes, u64 len)
{
    if (bytes && len)
        MUST(__asan_region_is_poisoned((void *)bytes, len) == NULL);
}

/* The image as run/map.c lays it out: file bytes, zeros to mem_end; whatever is outside the segments must not be read. */
static bool map_copy(struct subject *subject, const u8 *data)
{
    const struct plan *plan = &subject->object.image.plan;
    subject->copy_len = plan->hi_page - plan->lo_page;
    if (subject->copy_len > COPY_MAX)
        return false;
    subject->copy = aligned_alloc(LDR_PAGE, subject->copy_len);
    MUST(subject->copy != NULL);
    __asan_poison_memory_region(subject->copy, subject->copy_len);
    for (u32 i = 0; i < plan->seg_count; i++) {
        const struct segment *seg = &plan->seg[i];
        u8 *at = subject->copy + (seg->vaddr - plan->lo_page);
        if (!(seg->prot & (PF_R | PF_W)))
            continue;
        __asan_unpoison_memory_region(at, seg->mem_end - seg->vaddr);
        memcpy(at, data + seg->off, seg->file_end - seg->vaddr);
        memset(at + (seg->file_end - seg->vaddr), 0, seg->mem_end - seg->file_end);
    }
    return true;
}

bool subject_open(struct subject *subject, const u8 *data, u64 size, enum view_rule rule)
{
    memset(subject, 0, sizeof *subject);
    fuzz_arena(&subject->arena);
    struct image *image = &subject->object.image;
    subject->object.arena = &subject->arena;
    subject->object.path = image->path = "input";
    if (image_check_header(data, size, image->path, &fuzz_report))
        return false;
    Elf64_Ehdr eh;
    memcpy(&eh, data, sizeof eh);
    u64 len = (u64)eh.e_phnum * sizeof(Elf64_Phdr), end;
    if (!eh.e_phnum || !add_u64(eh.e_phoff, len, &end) || end > size)
        return false;
    Elf64_Phdr *phdr = arena_alloc(&subject->arena, len);
    memcpy(phdr, data + eh.e_phoff, len);
    image->type = eh.e_type;
    image->entry = eh.e_entry;
    if (image_read_phdrs(image, phdr, eh.e_phnum, size, &subject->arena, &fuzz_report))
        return false;
    subject->object.view = (struct view){ .bytes = data, .plan = &image->plan, .rule = rule };
    if (rule == VIEW_MEMORY) {
        if (!map_copy(subject, data))
            return false;
        subject->object.bias = (u64)subject->copy - image->plan.lo_page;
        subject->object.view.bytes = (const u8 *)subject->object.bias;
    }
    return true;
}

void subject_close(struct subject *subject)
{
    if (subject->copy) {
        __asan_unpoison_memory_region(subject->copy, subject->copy_len);
        free(subject->copy);
    }
    fuzz_arena_free(&subject->arena);
}

void each_subject(const u8 *data, u64 size, void (*read)(struct subject *subject))
{
    struct subject subject;
    for (enum view_rule rule = VIEW_MEMORY; rule <= VIEW_FILE; rule++) {
        if (subject_open(&subject, data, size, rule))
            read(&subject);
        subject_close(&subject);
    }
}
