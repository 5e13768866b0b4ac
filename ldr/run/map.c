/* map.c - executing a plan: the whole span reserved first, then each segment laid over its part.
 *
 *      reserve     |--------------------------- no access ---------------------------|
 *      overlay     | r-- file | r-x file |  gap: none  | r-- file | rw- file | rw- zero |
 *
 * All file mappings are MAP_PRIVATE: code and constants stay the page cache's own frames, shared by everybody who maps the file; data
 * becomes private page by page when written. When the first segment is a read-only one that starts the span, its mapping, made as long
 * as the span, is the reservation (one system call less for every library). No step is ever writable and executable. */
#include "run.h"

#define SMALL_DATA (6 * LDR_PAGE)

static int prot_of(u32 flags)
{
    return (flags & PF_R ? PROT_READ : 0) | (flags & PF_W ? PROT_WRITE : 0) | (flags & PF_X ? PROT_EXEC : 0);
}

static int map_failed(const struct object *object, const void *at, u64 vaddr)
{
    /* The name asked for and no reason in the first line, as the system's linker; the reason is among the values. */
    return report_values(&session.report, LDR_E_MAP, object->aliases.name ? object->aliases.name : object->image.path,
                         (u64)sys_error_of(at), 0, vaddr);
}

/* Reserve with the alignment the file asks for, or so that a large code segment can be mapped by huge pages: then the code's address and
 * its file offset must agree modulo 2 MiB. */
static void *reserve_aligned(const struct plan *plan, u64 span)
{
    u64 align = plan->align, phase = 0;
    if (plan->huge_vaddr && align < LDR_HUGE_PAGE) {
        align = LDR_HUGE_PAGE;
        phase = (plan->huge_off - (plan->huge_vaddr - plan->lo_page)) & (align - 1);
    } else {
        phase = plan->lo_page & (align - 1);
    }
    u64 len;
    if (!add_u64(span, align, &len))
        return (void *)-12l;
    char *got = sys_mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (sys_failed(got))
        return got;
    u64 want = align_down((u64)got, align) + phase;
    if (want < (u64)got)
        want += align;
    if (want > (u64)got)
        sys_munmap(got, want - (u64)got);
    if (want + span < (u64)got + len)
        sys_munmap((char *)want + span, (u64)got + len - want - span);
    return (void *)want;
}

static int zero_tail(struct object *object, const struct segment *seg)
{
    u64 file_page = align_up(seg->file_end, LDR_PAGE), mem_page = align_up(seg->mem_end, LDR_PAGE);
    int prot = prot_of(seg->prot);
    if (seg->mem_end <= seg->file_end)
        return 0;
    if (seg->file_end > seg->vaddr && seg->file_end < file_page) {
        char *tail = (char *)object->bias + seg->file_end;
        char *page = (char *)align_down((u64)tail, LDR_PAGE);
        /* Only a writable segment's last page can be cleared in place; for another the file's own bytes stay, as everywhere. */
        if (seg->prot & PF_W)
            memset(tail, 0, file_page - seg->file_end);
        else if (seg->mem_end > file_page || (seg->prot & PF_X) == 0) {
            if (sys_mprotect(page, LDR_PAGE, PROT_READ | PROT_WRITE) == 0) {
                memset(tail, 0, file_page - seg->file_end);
                sys_mprotect(page, LDR_PAGE, prot);
            }
        }
    }
    if (seg->file_end == seg->vaddr)
        file_page = align_down(seg->vaddr, LDR_PAGE);
    if (mem_page > file_page) {
        void *at = sys_mmap((char *)object->bias + file_page, mem_page - file_page, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        if (sys_failed(at))
            return map_failed(object, at, file_page);
    }
    return 0;
}

static int map_segment(struct object *object, const struct segment *seg, int fd)
{
    u64 start = align_down(seg->vaddr, LDR_PAGE);
    if (seg->file_end == seg->vaddr)
        return 0;
    /* A small data segment is RELRO, GOT and a page or two of .data, all written while linking: made private here in one go, where reading
     * .dynamic, relocating it and clearing the tail would each have faulted. On the programs of the bench no page more becomes private. */
    u64 len = align_up(seg->file_end, LDR_PAGE) - start;
    bool written = (seg->prot & PF_W) && len <= SMALL_DATA && !object->image_waits;
    bool run = (seg->prot & PF_X) && len <= TOUCHED_WHOLE;         /* nearly every library has the constructor of its start files */
    void *at = sys_mmap((char *)object->bias + start, len, prot_of(seg->prot), MAP_PRIVATE | MAP_FIXED | (written || run ? MAP_POPULATE : 0), fd,
                        align_down(seg->off, LDR_PAGE));
    return sys_failed(at) ? map_failed(object, at, seg->vaddr) : 0;
}

/* The span as a mapping of the first segment, or of nothing. Sets `done` when the first segment is in place with it. */
static void *reserve(const struct object *object, int fd, u64 file_len, bool *done)
{
    const struct plan *plan = &object->image.plan;
    const struct segment *first = &plan->seg[0];
    u64 span = plan->hi_page - plan->lo_page;
    *done = false;
    bool by_first = !(first->prot & PF_W) && first->file_end > first->vaddr && first->mem_end == first->file_end && file_len;
    if (object->place) {
        void *at = by_first ? sys_mmap((void *)object->place, span, prot_of(first->prot), MAP_PRIVATE | MAP_FIXED_NOREPLACE, fd, align_down(first->off, LDR_PAGE))
                            : sys_mmap((void *)object->place, span, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
        *done = by_first;
        if (at == (void *)object->place)
            return at;
        *done = false;
        if (!sys_failed(at))
            sys_munmap(at, span);     /* a kernel that knows no NOREPLACE */
    }                                 /* taken: anywhere, as without a wish; the cache sees that */
    if (object->image.type == ET_EXEC)
        return sys_mmap((void *)plan->lo_page, span, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (plan->align > LDR_PAGE || plan->huge_vaddr)
        return reserve_aligned(plan, span);
    if (by_first) {
        *done = true;
        return sys_mmap(NULL, span, prot_of(first->prot), MAP_PRIVATE, fd, align_down(first->off, LDR_PAGE));
    }
    return sys_mmap(NULL, span, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

/* Two pages of nearly every object are written whatever it holds: .dynamic (its pointers become addresses) and the end of the data (the
 * rest of its last page is cleared). Made private at once they cost one call instead of three or four faults. */
static void populate_certain(const struct object *object)
{
    const struct image *image = &object->image;
    for (u32 i = 0; i < image->plan.seg_count; i++) {
        const struct segment *seg = &image->plan.seg[i];
        if (!(seg->prot & PF_W) || image->dyn_vaddr < seg->vaddr || image->dyn_vaddr >= seg->file_end)
            continue;
        u64 start = align_down(image->dyn_vaddr, LDR_PAGE), end = start + LDR_PAGE;
        bool cleared = seg->mem_end > seg->file_end && seg->file_end % LDR_PAGE;
        if (cleared && align_up(seg->file_end, LDR_PAGE) - start <= 2 * LDR_PAGE)
            end = align_up(seg->file_end, LDR_PAGE);
        if (!session.populate_refused && sys_madvise((void *)(object->bias + start), end - start, MADV_POPULATE_WRITE) == -22)
            session.populate_refused = true;
    }
}

int map_file(struct object *object, int fd, u64 file_len)
{
    const struct plan *plan = &object->image.plan;
    for (u32 i = 0; i < plan->seg_count; i++)
        if ((plan->seg[i].prot & (PF_W | PF_X)) == (PF_W | PF_X))
            return report_values(&session.report, LDR_E_WRITE_EXEC, object->image.path, plan->seg[i].prot, PF_R | PF_X, plan->seg[i].vaddr);
    bool first_done;
    char *at = reserve(object, fd, file_len, &first_done);
    if (object->image.type == ET_EXEC && !sys_failed(at) && at != (char *)plan->lo_page) {
        sys_munmap(at, plan->hi_page - plan->lo_page);      /* a kernel before MAP_FIXED_NOREPLACE took it as a hint */
        at = (char *)-17l;
    }
    if (sys_failed(at)) {
        if (object->image.type == ET_EXEC)
            return report_values(&session.report, LDR_E_ADDRESS_TAKEN, object->image.path, plan->lo_page, 0, plan->hi_page);
        return map_failed(object, at, plan->lo_page);
    }
    object->map_start = (u64)at;
    object->map_end = object->map_start + (plan->hi_page - plan->lo_page);
    object->bias = object->map_start - plan->lo_page;

    int err = 0;
    for (u32 i = 0; i < plan->seg_count && !err; i++) {
        const struct segment *seg = &plan->seg[i];
        /* Every segment by a call of its own, also where the reservation already shows the same bytes: valgrind and perf learn what an
         * object is from its mappings. */
        if (i || !first_done)
            err = map_segment(object, seg, fd);
        if (!err && (seg->prot & PF_W) && !object->image_waits) {
            object->data_private = align_up(seg->file_end, LDR_PAGE) - align_down(seg->vaddr, LDR_PAGE) <= SMALL_DATA;
            if (!object->data_private)
                populate_certain(object);
        }
        if (!err)
            err = zero_tail(object, seg);
        /* A gap still shows the reservation: with a file reservation it must lose its access. */
        u64 end = align_up(seg->mem_end, LDR_PAGE);
        if (!err && first_done && i + 1 < plan->seg_count) {
            u64 next = align_down(plan->seg[i + 1].vaddr, LDR_PAGE);
            if (next > end)
                sys_mprotect((char *)object->bias + end, next - end, PROT_NONE);
        }
    }
    if (err) {
        unmap_object(object);
        return err;
    }
    object->view = (struct view){ .bytes = (const u8 *)object->bias, .plan = &object->image.plan, .rule = VIEW_MEMORY };
    object->state = OBJECT_MAPPED;
    return 0;
}

void unmap_object(struct object *object)
{
    if (object->map_end > object->map_start)
        sys_munmap((void *)object->map_start, object->map_end - object->map_start);
    object->map_start = object->map_end = 0;
}

int map_adopt(struct object *object, const Elf64_Phdr *phdr, u16 phnum, u64 bias)
{
    int err = image_read_phdrs(&object->image, phdr, phnum, 0, object->arena, &session.report);
    if (err)
        return err;
    object->bias = bias;
    object->map_start = bias + object->image.plan.lo_page;
    object->map_end = bias + object->image.plan.hi_page;
    object->view = (struct view){ .bytes = (const u8 *)bias, .plan = &object->image.plan, .rule = VIEW_MEMORY };
    object->state = OBJECT_MAPPED;
    return 0;
}
