/* view.c - bytes of an image by link-time address; the one place where bounds against PT_LOAD are checked. */
#include "image.h"

static const struct segment *segment_of(const struct view *view, u64 vaddr)
{
    for (u32 i = 0; i < view->plan->seg_count; i++) {
        const struct segment *seg = &view->plan->seg[i];
        u64 end = view->rule == VIEW_FILE ? seg->file_end : seg->mem_end;
        /* A segment that nobody may read holds no bytes for us either: touching it would be a fault. */
        if (vaddr >= seg->vaddr && vaddr < end && (seg->prot & (PF_R | PF_W)))
            return seg;
    }
    return NULL;
}

u64 view_extent(const struct view *view, u64 vaddr)
{
    const struct segment *seg = segment_of(view, vaddr);
    if (!seg)
        return 0;
    return (view->rule == VIEW_FILE ? seg->file_end : seg->mem_end) - vaddr;
}

const void *view_at(const struct view *view, u64 vaddr, u64 len)
{
    const struct segment *seg = segment_of(view, vaddr);
    if (!seg || len > (view->rule == VIEW_FILE ? seg->file_end : seg->mem_end) - vaddr)
        return NULL;
    u64 at = view->rule == VIEW_FILE ? seg->off + (vaddr - seg->vaddr) : vaddr;
    return (const void *)((u64)view->bytes + at);
}
