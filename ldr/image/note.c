/* note.c - one note of the PT_NOTE segments by owner and type (gABI "Note Section"). */
#include "image.h"

const u8 *image_note(const struct image *image, const struct view *view, const char *name, u32 type, u32 *len)
{
    u64 name_len = strlen(name) + 1;
    for (u16 i = 0; i < image->phnum; i++) {
        const Elf64_Phdr *ph = &image->phdr[i];
        if (ph->p_type != PT_NOTE)
            continue;
        u64 pad = ph->p_align == 8 ? 8 : 4, left = ph->p_memsz;
        const u8 *at = view_at(view, ph->p_vaddr, left);
        if (!at || ph->p_vaddr % 4)
            continue;
        while (left >= sizeof(Elf64_Nhdr)) {
            const Elf64_Nhdr *nh = (const void *)at;
            u64 desc = align_up(sizeof *nh + (u64)nh->n_namesz, pad);
            u64 next = align_up(desc + nh->n_descsz, pad);
            if (desc > left || desc + nh->n_descsz > left)
                break;
            if (nh->n_type == type && nh->n_namesz == name_len && memcmp(at + sizeof *nh, name, name_len) == 0) {
                *len = nh->n_descsz;
                return at + desc;
            }
            if (next >= left)
                break;
            at += next;
            left -= next;
        }
    }
    return NULL;
}

u32 image_property(const struct image *image, const struct view *view, u32 type)
{
    bool any = false;
    for (u16 i = 0; i < image->phnum; i++)
        any |= image->phdr[i].p_type == PT_GNU_PROPERTY;
    u32 len = 0;
    const u8 *at = any ? image_note(image, view, "GNU", NT_GNU_PROPERTY_TYPE_0, &len) : NULL;
    while (at && len >= 8) {
        u32 head[2];                  /* pr_type, pr_datasz */
        memcpy(head, at, sizeof head);
        u64 size = 8 + align_up(head[1], 8);
        if (size > len)
            break;
        if (head[0] == type && head[1] == 4) {
            u32 value;
            memcpy(&value, at + 8, 4);
            return value;
        }
        at += size;
        len -= (u32)size;
    }
    return 0;
}
