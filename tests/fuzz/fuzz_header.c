/* ELF header, program headers and plan: an accepted plan keeps its promises (plan.c). */
#include "fuzz.h"

static void judge(struct subject *subject)
{
    const struct image *image = &subject->object.image;
    const struct plan *plan = &image->plan;
    MUST(plan->seg_count > 0 && plan->lo_page % LDR_PAGE == 0 && plan->hi_page % LDR_PAGE == 0 && plan->lo_page < plan->hi_page);
    MUST(is_power_of_two(plan->align) && plan->align >= LDR_PAGE && plan->align <= LDR_HUGE_PAGE);
    u64 past = plan->lo_page;
    for (u32 i = 0; i < plan->seg_count; i++) {
        const struct segment *seg = &plan->seg[i];
        MUST(seg->vaddr <= seg->file_end && seg->file_end <= seg->mem_end && seg->vaddr < seg->mem_end);
        MUST(align_down(seg->vaddr, LDR_PAGE) >= past && (seg->vaddr - seg->off) % LDR_PAGE == 0);
        past = align_up(seg->mem_end, LDR_PAGE);
        if (subject->object.view.rule == VIEW_FILE)
            touch(subject->object.view.bytes + seg->off, seg->file_end - seg->vaddr);
    }
    MUST(past == plan->hi_page);
    if (image->tls_memsz) {
        MUST(is_power_of_two(image->tls_align) && image->tls_filesz <= image->tls_memsz);
        struct tls_layout layout = { .used = 100, .align = 64 };
        u64 offset;
        if (tls_place(&layout, image->tls_memsz, image->tls_align, image->tls_vaddr, &offset))
            MUST(offset >= 100 + image->tls_memsz && ((image->tls_vaddr + offset) & (image->tls_align - 1)) == 0);
    }
    if (image->relro_len)
        MUST(image->relro_vaddr >= plan->lo_page && image->relro_vaddr + image->relro_len <= plan->hi_page);
    view_at(&subject->object.view, image->entry, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    each_subject(data, size, judge);
    return 0;
}
