/* header.c - the ELF header and the program headers (gABI "ELF Header", "Program Header"). */
#include "image.h"

/* The first word as people see it in a hex dump's order; head need not be aligned. */
static u32 magic_of(const u8 *head)
{
    u32 magic;
    memcpy(&magic, head, sizeof magic);
    return magic;
}

int image_check_header(const u8 *head, u64 head_len, const char *path, struct report *report)
{
    if (head_len < sizeof(Elf64_Ehdr))
        return report_values(report, LDR_E_SHORT, path, head_len, sizeof(Elf64_Ehdr), 0);
    Elf64_Ehdr eh;
    memcpy(&eh, head, sizeof eh);
    if (memcmp(eh.e_ident, ELFMAG, SELFMAG) != 0)
        return report_values(report, LDR_E_MAGIC, path, magic_of(head), 0x464c457f, 0);
    if (eh.e_ident[EI_CLASS] != ELFCLASS64)
        return report_values(report, LDR_E_CLASS, path, eh.e_ident[EI_CLASS], ELFCLASS64, EI_CLASS);
    if (eh.e_ident[EI_DATA] != ELFDATA2LSB)
        return report_values(report, LDR_E_DATA, path, eh.e_ident[EI_DATA], ELFDATA2LSB, EI_DATA);
    if (eh.e_ident[EI_VERSION] != EV_CURRENT)
        return report_values(report, LDR_E_IDENT_VERSION, path, eh.e_ident[EI_VERSION], EV_CURRENT, EI_VERSION);
    if (eh.e_ident[EI_OSABI] != ELFOSABI_SYSV && eh.e_ident[EI_OSABI] != ELFOSABI_GNU)
        return report_values(report, LDR_E_OSABI, path, eh.e_ident[EI_OSABI], ELFOSABI_GNU, EI_OSABI);
    if (eh.e_ident[EI_ABIVERSION] > 3)
        return report_values(report, LDR_E_ABI_VERSION, path, eh.e_ident[EI_ABIVERSION], 3, EI_ABIVERSION);
    if (eh.e_version != EV_CURRENT)
        return report_values(report, LDR_E_FILE_VERSION, path, eh.e_version, EV_CURRENT, offsetof(Elf64_Ehdr, e_version));
    if (eh.e_machine != EM_X86_64)
        return report_values(report, LDR_E_MACHINE, path, eh.e_machine, EM_X86_64, offsetof(Elf64_Ehdr, e_machine));
    if (eh.e_type != ET_DYN && eh.e_type != ET_EXEC)
        return report_values(report, LDR_E_TYPE, path, eh.e_type, ET_DYN, offsetof(Elf64_Ehdr, e_type));
    if (eh.e_phentsize != sizeof(Elf64_Phdr))
        return report_values(report, LDR_E_PHENTSIZE, path, eh.e_phentsize, sizeof(Elf64_Phdr), offsetof(Elf64_Ehdr, e_phentsize));
    return 0;
}

/* Relocation compares a place with one range only, so the range may hold nothing but writable pages: with two data segments around
 * code, a hull of both would let a place into the code. The longest run is the fast range; other places are looked up. */
static void find_writable_run(struct image *image)
{
    const struct segment *seg = image->plan.seg, *end = seg + image->plan.seg_count;
    image->writable_lo = image->writable_hi = 0;
    while (seg < end) {
        const struct segment *last = seg;
        if (!(seg++->prot & PF_W))
            continue;
        u64 lo = last->vaddr;
        while (seg < end && (seg->prot & PF_W) && align_up(last->mem_end, LDR_PAGE) == align_down(seg->vaddr, LDR_PAGE))
            last = seg++;
        if (last->mem_end - lo >= sizeof(u64) && last->mem_end - lo > image->writable_hi - image->writable_lo) {
            image->writable_lo = lo;
            image->writable_hi = last->mem_end;
        }
    }
}

/* Whether [vaddr, vaddr+len) lies inside one segment's memory. */
static bool inside_plan(const struct plan *plan, u64 vaddr, u64 len)
{
    u64 end;
    if (!add_u64(vaddr, len, &end))
        return false;
    for (u32 i = 0; i < plan->seg_count; i++)
        if (vaddr >= plan->seg[i].vaddr && end <= plan->seg[i].mem_end)
            return true;
    return false;
}

static int take_tls(struct image *image, const Elf64_Phdr *ph, struct report *report)
{
    u64 align = ph->p_align ? ph->p_align : 1;
    if (!is_power_of_two(align))
        return report_values(report, LDR_E_TLS_ALIGN, image->path, align, 1, ph->p_vaddr);
    if (ph->p_filesz > ph->p_memsz || ph->p_memsz > (1ull << 40) || align > (1ull << 30))
        return report_values(report, LDR_E_TLS_RANGE, image->path, ph->p_memsz, ph->p_filesz, ph->p_vaddr);
    /* Only the initialised part must exist in memory: .tbss occupies addresses that belong to what follows. */
    if (ph->p_filesz && !inside_plan(&image->plan, ph->p_vaddr, ph->p_filesz))
        return report_values(report, LDR_E_TLS_RANGE, image->path, ph->p_vaddr, image->plan.lo_page, ph->p_filesz);
    image->tls_vaddr = ph->p_vaddr;
    image->tls_filesz = ph->p_filesz;
    image->tls_memsz = ph->p_memsz;
    image->tls_align = align;
    return 0;
}

/* End of the writable segment's pages that hold `page`; 0 when it is not writable. */
static u64 writable_pages_end(const struct plan *plan, u64 page)
{
    for (u32 i = 0; i < plan->seg_count; i++) {
        const struct segment *seg = &plan->seg[i];
        if ((seg->prot & PF_W) && page >= align_down(seg->vaddr, LDR_PAGE) && page < align_up(seg->mem_end, LDR_PAGE))
            return align_up(seg->mem_end, LDR_PAGE);
    }
    return 0;
}

static int take_relro(struct image *image, const Elf64_Phdr *ph, struct report *report)
{
    const struct plan *plan = &image->plan;
    u64 end;
    /* Page rounding at the end may pass the segment (bfd does); more than that would protect somebody else's pages. */
    if (!add_u64(ph->p_vaddr, ph->p_memsz, &end) || ph->p_vaddr < plan->lo_page || end > plan->hi_page)
        return report_values(report, LDR_E_RELRO_RANGE, image->path, ph->p_vaddr, plan->lo_page, ph->p_memsz);
    /* Sealing makes its pages r--: pages of code would lose x, pages of no segment would gain r. */
    for (u64 page = align_down(ph->p_vaddr, LDR_PAGE); page < align_down(end, LDR_PAGE);) {
        u64 next = writable_pages_end(plan, page);
        if (!next)
            return report_values(report, LDR_E_RELRO_RANGE, image->path, page, plan->lo_page, ph->p_memsz);
        page = next;
    }
    image->relro_vaddr = ph->p_vaddr;
    image->relro_len = ph->p_memsz;
    return 0;
}

int image_read_phdrs(struct image *image, const Elf64_Phdr *phdr, u16 phnum, u64 file_len, struct arena *arena, struct report *report)
{
    int err = plan_build(&image->plan, phdr, phnum, file_len, image->path, arena, report);
    if (err)
        return err;
    image->phdr = phdr;
    image->phnum = phnum;
    image->stack_flags = PF_R | PF_W | PF_X;
    for (u16 i = 0; i < phnum && !err; i++) {
        const Elf64_Phdr *ph = &phdr[i];
        switch (ph->p_type) {
        case PT_PHDR:
            image->phdr_vaddr = ph->p_vaddr;
            break;
        case PT_DYNAMIC:
            image->dyn_vaddr = ph->p_vaddr;
            image->dyn_len = ph->p_memsz;
            if (!ph->p_vaddr)         /* 0 means static from here on: that must not come from a malformed entry */
                err = report_values(report, LDR_E_DYN_RANGE, image->path, 0, ph->p_memsz, 0);
            break;
        case PT_INTERP:
            image->interp_vaddr = ph->p_vaddr;
            image->interp_len = ph->p_filesz;
            break;
        case PT_GNU_EH_FRAME:
            image->eh_frame_hdr_vaddr = ph->p_vaddr;
            break;
        case PT_GNU_STACK:
            image->stack_flags = ph->p_flags;
            break;
        case PT_GNU_RELRO:
            err = ph->p_memsz ? take_relro(image, ph, report) : 0;
            break;
        case PT_TLS:
            err = ph->p_memsz ? take_tls(image, ph, report) : 0;
            break;
        }
    }
    find_writable_run(image);
    return err;
}
