/* walk.c - bounded reading of a glibc object, and stating what was found. See walk.h. */
#include "walk.h"

#include <elf.h>

const uint8_t *glibc_bytes_at(const struct glibc_image *image, uint64_t vaddr, uint64_t len)
{
    for (unsigned i = 0; i < image->span_count; i++) {
        const struct glibc_span *span = &image->spans[i];
        if (vaddr >= span->vaddr && len <= span->len && vaddr - span->vaddr <= span->len - len)
            return span->base + (vaddr - span->vaddr);
    }
    return NULL;
}

/* Some loaders add the load bias to address tags in place; an address inside a mapped span is turned back. */
uint64_t glibc_vaddr_of(const struct glibc_image *image, uint64_t value)
{
    if (glibc_bytes_at(image, value, 1))
        return value;
    for (unsigned i = 0; i < image->span_count; i++) {
        uint64_t base = (uint64_t)(uintptr_t)image->spans[i].base;
        if (value >= base && value - base < image->spans[i].len)
            return image->spans[i].vaddr + (value - base);
    }
    return value;
}

/* Program header number `i` or NULL; the table sits in the first span of every glibc object. */
static const uint8_t *phdr_at(const struct glibc_image *image, unsigned i)
{
    const uint8_t *header;
    uint64_t start, at;
    if (image->span_count == 0)
        return NULL;
    start = image->spans[0].vaddr;
    header = glibc_bytes_at(image, start, sizeof(Elf64_Ehdr));
    if (!header || !text_is(header, "\177ELF"))
        return NULL;
    if (i >= ((unsigned)header[offsetof(Elf64_Ehdr, e_phnum)] | (unsigned)header[offsetof(Elf64_Ehdr, e_phnum) + 1] << 8))
        return NULL;
    at = u64_of(header + offsetof(Elf64_Ehdr, e_phoff));
    if (at > image->spans[0].len)
        return NULL;
    return glibc_bytes_at(image, start + at + (uint64_t)i * sizeof(Elf64_Phdr), sizeof(Elf64_Phdr));
}

/* d_val of a dynamic tag. Returns 0 when the object has no such tag. */
int glibc_dynamic_value(const struct glibc_image *image, int64_t tag, uint64_t *value)
{
    const uint8_t *phdr;
    for (unsigned i = 0; (phdr = phdr_at(image, i)); i++) {
        uint64_t at = u64_of(phdr + offsetof(Elf64_Phdr, p_vaddr));
        const uint8_t *entry;
        if (u32_of(phdr) != PT_DYNAMIC)
            continue;
        for (; (entry = glibc_bytes_at(image, at, 16)) && u64_of(entry) != DT_NULL; at += 16)
            if ((int64_t)u64_of(entry) == tag) {
                *value = u64_of(entry + 8);
                return 1;
            }
    }
    return 0;
}

void glibc_image_build_id(const struct glibc_image *image, uint8_t id[20])
{
    const uint8_t *phdr;
    for (unsigned i = 0; i < 20; i++)
        id[i] = 0;
    for (unsigned i = 0; (phdr = phdr_at(image, i)); i++) {
        uint64_t at = u64_of(phdr + offsetof(Elf64_Phdr, p_vaddr));
        uint64_t left = u64_of(phdr + offsetof(Elf64_Phdr, p_memsz));
        uint64_t align = u64_of(phdr + offsetof(Elf64_Phdr, p_align)) == 8 ? 8 : 4;
        const uint8_t *note;
        if (u32_of(phdr) != PT_NOTE)
            continue;
        while (left >= 16 && (note = glibc_bytes_at(image, at, 16))) {
            uint64_t desc = (12 + (uint64_t)u32_of(note) + align - 1) & -align;
            uint64_t size = (desc + u32_of(note + 4) + align - 1) & -align;
            const uint8_t *text = glibc_bytes_at(image, at + desc, 20);
            if (u32_of(note + 8) == NT_GNU_BUILD_ID && u32_of(note) == 4 && u32_of(note + 4) == 20 &&
                text_is(note + 12, "GNU") && text) {
                for (unsigned k = 0; k < 20; k++)
                    id[k] = text[k];
                return;
            }
            if (size > left)
                break;
            at += size;
            left -= size;
        }
    }
}

void glibc_state(struct walk *walk, unsigned word, uint64_t value, const char *source)
{
    struct glibc_fact fact = { word, source, (uint32_t)value };
    if (walk->result == 0)
        walk->result = walk->visit(walk->ctx, &fact);
}
