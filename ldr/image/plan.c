/* plan.c - PT_LOAD entries as checked, ascending mapping steps (gABI "Program Loading").
 *
 * After this, for every step: off and vaddr agree modulo the page size, the file holds [off, off + file bytes), pages of two steps
 * are disjoint, and the span lo_page..hi_page fits in half the address space. Mapping (run/map.c) then only executes. */
#include "image.h"

#define SPAN_MAX (1ull << 46)         /* user addresses have 47 bits; a larger span can never be mapped */

static int read_segment(struct segment *seg, const Elf64_Phdr *ph, u64 file_len, const char *path, struct report *report)
{
    u64 file_end, mem_end, off_end;
    if (!is_power_of_two(ph->p_align ? ph->p_align : 1))
        return report_values(report, LDR_E_LOAD_ALIGN, path, ph->p_align, LDR_PAGE, ph->p_vaddr);
    if ((ph->p_align & (LDR_PAGE - 1)) != 0)
        return report_values(report, LDR_E_LOAD_ALIGN, path, ph->p_align, LDR_PAGE, ph->p_vaddr);
    if (((ph->p_vaddr - ph->p_offset) & (LDR_PAGE - 1)) != 0)
        return report_values(report, LDR_E_LOAD_CONGRUENT, path, ph->p_vaddr, ph->p_offset, ph->p_vaddr);
    if (ph->p_filesz > ph->p_memsz)
        return report_values(report, LDR_E_LOAD_SIZE, path, ph->p_filesz, ph->p_memsz, ph->p_vaddr);
    if (!add_u64(ph->p_vaddr, ph->p_memsz, &mem_end) || mem_end > SPAN_MAX)
        return report_values(report, LDR_E_LOAD_SPAN, path, ph->p_memsz, SPAN_MAX, ph->p_vaddr);
    if (!add_u64(ph->p_offset, ph->p_filesz, &off_end) || off_end > (1ull << 62))
        return report_values(report, LDR_E_LOAD_RANGE, path, ph->p_filesz, file_len, ph->p_vaddr);
    if (file_len && off_end > file_len)
        return report_values(report, LDR_E_LOAD_RANGE, path, off_end, file_len, ph->p_vaddr);
    file_end = ph->p_vaddr + ph->p_filesz;
    *seg = (struct segment){ .vaddr = ph->p_vaddr, .file_end = file_end, .mem_end = mem_end, .off = ph->p_offset,
                             .prot = ph->p_flags & (PF_R | PF_W | PF_X) };
    return 0;
}

int plan_build(struct plan *plan, const Elf64_Phdr *phdr, u16 phnum, u64 file_len, const char *path, struct arena *arena,
               struct report *report)
{
    u32 count = 0;
    for (u16 i = 0; i < phnum; i++)
        count += phdr[i].p_type == PT_LOAD && phdr[i].p_memsz != 0;
    if (!count)
        return report_values(report, LDR_E_NO_LOAD, path, phnum, 1, 0);
    struct segment *seg = arena_alloc(arena, count * sizeof *seg);
    if (!seg)
        return report_values(report, LDR_E_NO_MEMORY, path, count * sizeof *seg, 0, 0);

    struct plan made = { .seg = seg, .seg_count = count, .align = LDR_PAGE };
    u32 at = 0;
    for (u16 i = 0; i < phnum; i++) {
        const Elf64_Phdr *ph = &phdr[i];
        if (ph->p_type != PT_LOAD || ph->p_memsz == 0)
            continue;
        int err = read_segment(&seg[at], ph, file_len, path, report);
        if (err)
            return err;
        /* Page disjointness, not only byte disjointness: a later overlay would wipe the earlier segment's last page. */
        if (at && align_up(seg[at - 1].mem_end, LDR_PAGE) > align_down(seg[at].vaddr, LDR_PAGE))
            return report_values(report, LDR_E_LOAD_ORDER, path, seg[at].vaddr, seg[at - 1].mem_end, seg[at].vaddr);
        if (ph->p_align > made.align)
            made.align = ph->p_align > LDR_HUGE_PAGE ? LDR_HUGE_PAGE : ph->p_align;
        if (!made.huge_vaddr && (ph->p_flags & PF_X) && ph->p_filesz >= 2 * LDR_HUGE_PAGE) {
            made.huge_vaddr = ph->p_vaddr;
            made.huge_off = ph->p_offset;
        }
        at++;
    }
    made.lo_page = align_down(seg[0].vaddr, LDR_PAGE);
    made.hi_page = align_up(seg[count - 1].mem_end, LDR_PAGE);
    *plan = made;
    return 0;
}

bool plan_place_fits(const struct plan *plan, u64 place, u64 width, bool text_open)
{
    for (u32 i = 0; i < plan->seg_count; i++) {
        const struct segment *seg = &plan->seg[i];
        if ((seg->prot & PF_W || text_open) && place >= align_down(seg->vaddr, LDR_PAGE) && place < seg->mem_end && seg->mem_end - place >= width)
            return true;
    }
    return false;
}
