/* version.c - DT_VERDEF and DT_VERNEED as one table indexed by the numbers in DT_VERSYM (LSB "Symbol Versioning").
 *
 * Both are linked lists of relative offsets, so a file can make them loop or leave its segment: every step must advance and every
 * record must lie inside the view; counts bound the walk. Needs may share their aux records, so 65,535 for each of a megabyte's needs
 * would be billions of steps: more records than there are version numbers is malformed. */
#include "image.h"

#define VERSION_MAX 0x7fffu           /* DT_VERSYM has 15 bits for the number */

static int verdef_problem(const struct image *image, u64 vaddr, u64 found, struct report *report)
{
    return report_values(report, LDR_E_VERDEF, image->path, found, image->verdef_count, vaddr);
}

static int verneed_problem(const struct image *image, u64 vaddr, u64 found, struct report *report)
{
    return report_values(report, LDR_E_VERNEED, image->path, found, image->verneed_count, vaddr);
}

struct version_walk image_version_needs(const struct image *image)
{
    return (struct version_walk){ .need_vaddr = image->verneed_vaddr, .needs_left = image->verneed_count };
}

/* One step of the (need, aux) walk: 1 took one, 0 end, negative: malformed. `raw` is the aux record. */
static int next_aux(const struct view *view, struct version_walk *walk, const Elf64_Verneed **need,
                    const Elf64_Vernaux **aux)
{
    for (;;) {
        if (!walk->needs_left || !walk->need_vaddr)
            return 0;
        const Elf64_Verneed *vn = view_at(view, walk->need_vaddr, sizeof *vn);
        if (!vn || walk->need_vaddr % 4 || vn->vn_version != VER_NEED_CURRENT)
            return -LDR_E_VERNEED;
        if (!walk->aux_vaddr) {
            walk->aux_vaddr = walk->need_vaddr + vn->vn_aux;
            walk->aux_left = vn->vn_cnt;
        }
        if (walk->aux_left) {
            const Elf64_Vernaux *va = view_at(view, walk->aux_vaddr, sizeof *va);
            if (!va || walk->aux_vaddr % 4 || walk->taken++ == VERSION_MAX)
                return -LDR_E_VERNEED;
            walk->aux_left = va->vna_next ? walk->aux_left - 1 : 0;
            walk->aux_vaddr += va->vna_next;
            *need = vn;
            *aux = va;
            return 1;
        }
        walk->aux_vaddr = 0;
        walk->needs_left = vn->vn_next ? walk->needs_left - 1 : 0;
        walk->need_vaddr += vn->vn_next;
    }
}

bool image_next_version_need(const struct image *image, const struct view *view, struct version_walk *walk, struct version_need *out)
{
    const Elf64_Verneed *vn;
    const Elf64_Vernaux *va;
    if (next_aux(view, walk, &vn, &va) != 1)
        return false;
    const char *file = image_string(image, vn->vn_file), *name = image_string(image, va->vna_name);
    if (!file || !name)
        return false;
    *out = (struct version_need){ .file = file, .name = name, .hash = va->vna_hash, .weak = (va->vna_flags & VER_FLG_WEAK) != 0 };
    return true;
}

bool image_defines_version(const struct image *image, const char *name, u32 hash)
{
    for (u32 i = 0; i < image->version_count; i++) {
        const struct version *v = &image->version[i];
        if (v->name && !v->needed && v->hash == hash && str_equal(v->name, name))
            return true;
    }
    return false;
}

/* Walks both lists once; `table` NULL only finds the highest number. */
static int walk_needs(const struct image *image, const struct view *view, struct version *table, u32 *highest, struct report *report)
{
    struct version_walk walk = image_version_needs(image);
    const Elf64_Verneed *vn;
    const Elf64_Vernaux *va;
    int step;
    while ((step = next_aux(view, &walk, &vn, &va)) == 1) {
        u32 number = va->vna_other & 0x7fff;
        const char *name = image_string(image, va->vna_name), *file = image_string(image, vn->vn_file);
        if (!name || !file)
            return verneed_problem(image, walk.need_vaddr, va->vna_name, report);
        if (number > *highest)
            *highest = number;
        if (table)
            table[number] = (struct version){ .name = name, .needed = true, .hash = va->vna_hash, .hidden = (va->vna_other & 0x8000) != 0,
                                              .weak = (va->vna_flags & VER_FLG_WEAK) != 0 };
    }
    return step < 0 ? verneed_problem(image, walk.need_vaddr, walk.needs_left, report) : 0;
}

static int walk_defs(const struct image *image, const struct view *view, struct version *table, u32 *highest, struct report *report)
{
    u64 at = image->verdef_vaddr;
    for (u32 left = image->verdef_count; left && at; left--) {
        const Elf64_Verdef *vd = view_at(view, at, sizeof *vd);
        if (!vd || at % 4 || vd->vd_version != VER_DEF_CURRENT)
            return verdef_problem(image, at, vd && at % 4 == 0 ? vd->vd_version : 0, report);
        const Elf64_Verdaux *va = view_at(view, at + vd->vd_aux, sizeof *va);
        const char *name = va && vd->vd_aux % 4 == 0 ? image_string(image, va->vda_name) : NULL;
        if (!name)
            return verdef_problem(image, at, vd->vd_aux, report);
        u32 number = vd->vd_ndx & 0x7fff;
        if (!(vd->vd_flags & VER_FLG_BASE)) {
            if (number > *highest)
                *highest = number;
            if (table)
                table[number] = (struct version){ .name = name, .hash = vd->vd_hash };
        }
        if (!vd->vd_next)
            break;
        at += vd->vd_next;
    }
    return 0;
}

int image_read_versions(struct image *image, const struct view *view, struct arena *arena, struct report *report)
{
    if (!image->versym || (!image->verdef_count && !image->verneed_count))
        return 0;
    u32 highest = 0;
    int err = walk_defs(image, view, NULL, &highest, report);
    if (!err)
        err = walk_needs(image, view, NULL, &highest, report);
    if (err || !highest)
        return err;
    struct version *table = arena_zalloc(arena, (highest + 1) * sizeof *table);
    if (!table)
        return report_values(report, LDR_E_NO_MEMORY, image->path, (highest + 1) * sizeof *table, 0, 0);
    walk_defs(image, view, table, &highest, report);
    walk_needs(image, view, table, &highest, report);
    image->version = table;
    image->version_count = highest + 1;
    return 0;
}
