/* segments.c - from (file offset, address) of a mapping to the segment of the ELF object it is part of.
 *
 * The program headers decide, not the permissions in /proc/PID/maps: RELRO and constants are both r--, and a library that
 * is being relocated has its RELRO writable. Example, libz.so.1 (page 0x1000):
 *
 *   PT_LOAD off 0x0     vaddr 0x0     filesz 0x2280   R     file pages 0..2     constants
 *   PT_LOAD off 0x3000  vaddr 0x3000  filesz 0x1200d  R X   file pages 3..15    code
 *   PT_LOAD off 0x16000 vaddr 0x16000 filesz 0x63c8   R     file pages 16..1c   constants
 *   PT_LOAD off 0x1cc70 vaddr 0x1dc70 filesz 0x518    RW    file page  1c again at vaddr page 1d, file page 1d at 1e
 *   RELRO               vaddr 0x1dc70 memsz  0x390          ends at 0x1e000: page 1d is RELRO, page 1e is data
 *                                                           (an end inside a page leaves that page writable: data)
 * File page 1c is in two segments: only the address, through the load bias, tells which.
 */
#include "pages.h"

const char *segment_name(enum segment_kind kind) {
    static const char *const names[SEGMENT_KINDS] = {
        "code", "constants", "RELRO", "data", "other", ".bss", "file", "shared", "heap", "stack", "anonymous", "vDSO", "hugetlb", "device", "images" };
    return names[kind];
}

static uint64_t page_down(uint64_t x) { return x & ~(PAGE_LEN - 1); }

/* Page-rounded file range of a PT_LOAD; false for one without file bytes, or with sizes that wrap. */
static bool load_file_range(const struct load *load, uint64_t *start, uint64_t *end) {
    uint64_t last;
    if (load->filesz == 0 || __builtin_add_overflow(load->off, load->filesz - 1, &last))
        return false;
    *start = page_down(load->off);
    *end = page_down(last); /* of the last page, inclusive: rounding up could wrap */
    return true;
}

static const struct load *load_at(const struct shape *shape, uint64_t bias, uint64_t addr, uint64_t file_off) {
    for (size_t i = 0; i < shape->load_count; i++) {
        const struct load *load = &shape->loads[i];
        uint64_t start, end;
        if (!load_file_range(load, &start, &end) || file_off < start || file_off > end)
            continue;
        if (addr - bias == page_down(load->vaddr) + (file_off - start))
            return load;
    }
    return NULL;
}

bool shape_explains(const struct shape *shape, uint64_t bias, const struct vma *vma) {
    return load_at(shape, bias, vma->start, vma->off) != NULL;
}

bool shape_bias_by(const struct shape *shape, size_t load_index, const struct vma *vma, uint64_t *bias) {
    const struct load *load = &shape->loads[load_index];
    uint64_t start, end;
    if (!load_file_range(load, &start, &end) || vma->off < start || vma->off > end)
        return false;
    *bias = vma->start - (page_down(load->vaddr) + (vma->off - start));
    return true;
}

bool shape_find_bias(const struct shape *shape, const struct vma *vma, uint64_t *bias) {
    const struct load *best = NULL;
    for (size_t i = 0; i < shape->load_count; i++) {
        const struct load *load = &shape->loads[i];
        uint64_t by_this;
        if (!shape_bias_by(shape, i, vma, &by_this))
            continue;
        bool same_access = (load->flags & (ACCESS_READ | ACCESS_WRITE | ACCESS_EXEC)) == vma->access;
        if (!best || same_access) {
            best = load;
            *bias = by_this;
            if (same_access)
                break;
        }
    }
    return best != NULL;
}

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

enum segment_kind shape_kind_at(const struct shape *shape, uint64_t bias, uint64_t addr, uint64_t file_off, uint64_t max,
                                uint64_t *len) {
    const struct load *load = load_at(shape, bias, addr, file_off);
    *len = least(max, PAGE_LEN);
    if (!load)
        return SEGMENT_OTHER;
    uint64_t start = 0, end = 0;
    load_file_range(load, &start, &end); /* true: load_at found it */
    *len = least(max, end - file_off + PAGE_LEN);
    if (load->flags & ACCESS_EXEC)
        return SEGMENT_CODE;
    if (!(load->flags & ACCESS_WRITE))
        return SEGMENT_CONSTANTS;
    uint64_t page = addr - bias, relro_end;
    if (__builtin_add_overflow(shape->relro_vaddr, shape->relro_len, &relro_end))
        return SEGMENT_DATA;
    uint64_t relro_start = page_down(shape->relro_vaddr);
    relro_end = page_down(relro_end);
    if (page >= relro_start && page < relro_end) {
        *len = least(*len, relro_end - page);
        return SEGMENT_RELRO;
    }
    if (page < relro_start && relro_end > relro_start)
        *len = least(*len, relro_start - page);
    return SEGMENT_DATA;
}

size_t shape_data_len(const struct shape *shape, uint64_t vaddr) {
    for (size_t i = 0; i < shape->load_count; i++) {
        const struct load *load = &shape->loads[i];
        uint64_t end;
        if (load->filesz && load->memsz > load->filesz && !__builtin_add_overflow(load->vaddr, load->filesz, &end) &&
            end > vaddr && end - vaddr < PAGE_LEN && vaddr >= page_down(load->vaddr))
            return (size_t)(end - vaddr);
    }
    return PAGE_LEN;
}

enum segment_kind kind_by_access(uint32_t access) {
    if (access & ACCESS_EXEC)
        return SEGMENT_CODE;
    return access & ACCESS_WRITE ? SEGMENT_DATA : SEGMENT_CONSTANTS;
}

enum segment_kind shape_image_at(const struct shape *shape, uint64_t bias, uint64_t addr, uint64_t max, uint64_t *len, uint64_t *file_page) {
    uint64_t vaddr = addr - bias;
    for (size_t i = 0; i < shape->load_count; i++) {
        const struct load *load = &shape->loads[i];
        uint64_t end, start = load->vaddr & -PAGE_LEN;
        if (!(load->flags & ACCESS_WRITE) || __builtin_add_overflow(load->vaddr, load->memsz, &end) || vaddr < start || vaddr >= end)
            continue;
        uint64_t stop = (end + PAGE_LEN - 1) & -PAGE_LEN;
        uint64_t relro = shape->relro_vaddr & -PAGE_LEN, relro_end = (shape->relro_vaddr + shape->relro_len) & -PAGE_LEN;
        bool sealed = vaddr >= relro && vaddr < relro_end;
        if (sealed && relro_end < stop)
            stop = relro_end;
        if (!sealed && relro > vaddr && relro < stop)
            stop = relro;
        *len = stop - vaddr < max ? stop - vaddr : max;
        *file_page = ((load->off & -PAGE_LEN) + (vaddr - start)) >> PAGE_SHIFT;
        return sealed ? SEGMENT_RELRO : SEGMENT_DATA;
    }
    *len = max;
    return SEGMENT_KINDS;
}
