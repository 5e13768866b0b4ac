/* dynamic.c - PT_DYNAMIC decoded into checked tables (gABI "Dynamic Section").
 *
 * d_ptr values are link-time addresses here: whoever relocates .dynamic in place (as glibc does, and code that walks l_ld expects)
 * must do so after this reader ran. */
#include "image.h"

/* Raw values of the tags we use; a tag that may come once keeps its last occurrence, as every other linker does. */
struct raw {
    u64 hash, gnu_hash, strtab, strsz, symtab, syment, versym;
    u64 rela, relasz, relaent, rel, relsz, relent, relr, relrsz, relrent;
    u64 jmprel, pltrelsz, pltrel;
    u64 init_array, init_arraysz, fini_array, fini_arraysz, preinit_array, preinit_arraysz;
    u64 soname, rpath, runpath;
    bool has_soname, has_rpath, has_runpath;
};

static void take_tag(struct image *image, struct raw *raw, const Elf64_Dyn *dyn)
{
    u64 v = dyn->d_un.d_val;
    switch (dyn->d_tag) {
    case DT_NEEDED: image->needed_count++; break;
    case DT_FILTER:
    case DT_AUXILIARY: image->filter_count++; break;
    case DT_HASH: raw->hash = v; break;
    case DT_GNU_HASH: raw->gnu_hash = v; break;
    case DT_STRTAB: raw->strtab = v; break;
    case DT_STRSZ: raw->strsz = v; break;
    case DT_SYMTAB: raw->symtab = v; break;
    case DT_SYMENT: raw->syment = v; break;
    case DT_VERSYM: raw->versym = v; break;
    case DT_RELA: raw->rela = v; break;
    case DT_RELASZ: raw->relasz = v; break;
    case DT_RELAENT: raw->relaent = v; break;
    case DT_REL: raw->rel = v; break;
    case DT_RELSZ: raw->relsz = v; break;
    case DT_RELENT: raw->relent = v; break;
    case DT_RELR: raw->relr = v; break;
    case DT_RELRSZ: raw->relrsz = v; break;
    case DT_RELRENT: raw->relrent = v; break;
    case DT_JMPREL: raw->jmprel = v; break;
    case DT_PLTRELSZ: raw->pltrelsz = v; break;
    case DT_PLTREL: raw->pltrel = v; break;
    case DT_INIT_ARRAY: raw->init_array = v; break;
    case DT_INIT_ARRAYSZ: raw->init_arraysz = v; break;
    case DT_FINI_ARRAY: raw->fini_array = v; break;
    case DT_FINI_ARRAYSZ: raw->fini_arraysz = v; break;
    case DT_PREINIT_ARRAY: raw->preinit_array = v; break;
    case DT_PREINIT_ARRAYSZ: raw->preinit_arraysz = v; break;
    case DT_SONAME: raw->soname = v; raw->has_soname = true; break;
    case DT_RPATH: raw->rpath = v; raw->has_rpath = true; break;
    case DT_RUNPATH: raw->runpath = v; raw->has_runpath = true; break;
    case DT_INIT: image->init_vaddr = v; break;
    case DT_FINI: image->fini_vaddr = v; break;
    case DT_PLTGOT: image->pltgot_vaddr = v; break;
    case DT_RELACOUNT: image->rela_relative = v; break;
    case DT_VERDEF: image->verdef_vaddr = v; break;
    case DT_VERDEFNUM: image->verdef_count = (u32)v; break;
    case DT_VERNEED: image->verneed_vaddr = v; break;
    case DT_VERNEEDNUM: image->verneed_count = (u32)v; break;
    case DT_FLAGS: image->flags = (u32)v; break;
    case DT_FLAGS_1: image->flags_1 = (u32)v; break;
    case DT_SYMBOLIC: image->symbolic = true; break;
    case DT_TEXTREL: image->textrel = true; break;
    case DT_BIND_NOW: image->bind_now = true; break;
    }
}

static int read_strings(struct image *image, const struct view *view, const struct raw *raw, struct report *report)
{
    if (!raw->strtab)
        return raw->symtab || raw->has_soname ? report_values(report, LDR_E_STRTAB, image->path, 0, 1, DT_STRTAB) : 0;
    const char *strtab = view_at(view, raw->strtab, raw->strsz);
    if (!strtab || !raw->strsz || strtab[raw->strsz - 1] != 0)
        return report_values(report, LDR_E_STRTAB, image->path, raw->strtab, raw->strsz, DT_STRSZ);
    image->strtab = strtab;
    image->strtab_len = raw->strsz;
    if (raw->has_soname && !(image->soname = image_string(image, raw->soname)))
        return report_values(report, LDR_E_STRING, image->path, raw->soname, raw->strsz, DT_SONAME);
    if (raw->has_rpath && !(image->rpath = image_string(image, raw->rpath)))
        return report_values(report, LDR_E_STRING, image->path, raw->rpath, raw->strsz, DT_RPATH);
    if (raw->has_runpath && !(image->runpath = image_string(image, raw->runpath)))
        return report_values(report, LDR_E_STRING, image->path, raw->runpath, raw->strsz, DT_RUNPATH);
    return 0;
}

static int read_gnu_hash(struct image *image, const struct view *view, u64 vaddr, struct report *report)
{
    const u32 *head = view_at(view, vaddr, 16);
    if (!head || vaddr % 8)
        return report_values(report, LDR_E_GNU_HASH, image->path, vaddr, 16, DT_GNU_HASH);
    u32 buckets = head[0], sym_offset = head[1], bloom_words = head[2], shift = head[3];
    if (!buckets || !is_power_of_two(bloom_words) || shift > 63)
        return report_values(report, LDR_E_GNU_HASH, image->path, bloom_words, buckets, vaddr);
    u64 tables = 16 + 8ull * bloom_words + 4ull * buckets;
    if (!view_at(view, vaddr, tables))
        return report_values(report, LDR_E_GNU_HASH, image->path, tables, view_extent(view, vaddr), vaddr);
    struct gnu_hash *gnu = &image->gnu;
    gnu->bloom = (const u64 *)(const void *)(head + 4);
    gnu->bucket = (const u32 *)(gnu->bloom + bloom_words);
    gnu->chain = gnu->bucket + buckets;
    gnu->bucket_count = buckets;
    gnu->bloom_mask = bloom_words - 1;
    gnu->bloom_shift = shift;
    gnu->sym_offset = sym_offset;
    /* The chain has one word a symbol; a symbol without its word is outside the table. */
    u64 chain_words = (view_extent(view, vaddr) - tables) / 4;
    u64 limit;
    if (!add_u64(sym_offset, chain_words, &limit) || limit > 0xffffffff)
        limit = 0xffffffff;
    if (limit < image->sym_limit)
        image->sym_limit = limit;
    return 0;
}

static int read_sysv_hash(struct image *image, const struct view *view, u64 vaddr, struct report *report)
{
    const u32 *head = view_at(view, vaddr, 8);
    if (!head || vaddr % 4 || !head[0])
        return report_values(report, LDR_E_HASH, image->path, vaddr, 8, DT_HASH);
    u64 len = 8 + 4 * ((u64)head[0] + head[1]);
    if (!view_at(view, vaddr, len) || head[1] > image->sym_limit)
        return report_values(report, LDR_E_HASH, image->path, len, view_extent(view, vaddr), vaddr);
    image->sysv = (struct sysv_hash){ .bucket = head + 2, .chain = head + 2 + head[0], .bucket_count = head[0], .chain_count = head[1] };
    return 0;
}

static int read_symbols(struct image *image, const struct view *view, const struct raw *raw, struct report *report)
{
    if (!raw->symtab)
        return 0;
    if (raw->syment && raw->syment != sizeof(Elf64_Sym))
        return report_values(report, LDR_E_SYMENT, image->path, raw->syment, sizeof(Elf64_Sym), DT_SYMENT);
    u64 extent = view_extent(view, raw->symtab);
    if (extent < sizeof(Elf64_Sym) || raw->symtab % 8)
        return report_values(report, LDR_E_SYMTAB, image->path, raw->symtab, 0, DT_SYMTAB);
    image->symtab = view_at(view, raw->symtab, sizeof(Elf64_Sym));
    image->sym_limit = extent / sizeof(Elf64_Sym);
    if (image->sym_limit > 0xffffffff)
        image->sym_limit = 0xffffffff;
    int err = raw->gnu_hash ? read_gnu_hash(image, view, raw->gnu_hash, report) : 0;
    if (!err && raw->hash)
        err = read_sysv_hash(image, view, raw->hash, report);
    if (!err && raw->versym) {
        u64 words = view_extent(view, raw->versym) / 2;
        if (!words || raw->versym % 2)
            return report_values(report, LDR_E_VERSYM, image->path, raw->versym, 0, DT_VERSYM);
        image->versym = view_at(view, raw->versym, 2);
        if (words < image->sym_limit)
            image->sym_limit = words;
    }
    return err;
}

static int check_range(struct image *image, const struct view *view, u64 vaddr, u64 len, u64 tag, int code, const void **at,
                       struct report *report)
{
    *at = view_at(view, vaddr, len);
    if (!*at || vaddr % 8)
        return report_values(report, code, image->path, vaddr, len, tag);
    return 0;
}

static int read_relocations(struct image *image, const struct view *view, const struct raw *raw, struct report *report)
{
    const void *at;
    int err = 0;
    if (raw->relaent && raw->relaent != sizeof(Elf64_Rela))
        return report_values(report, LDR_E_RELOC_ENT, image->path, raw->relaent, sizeof(Elf64_Rela), DT_RELAENT);
    if (raw->relent && raw->relent != sizeof(Elf64_Rel))
        return report_values(report, LDR_E_RELOC_ENT, image->path, raw->relent, sizeof(Elf64_Rel), DT_RELENT);
    if (raw->relrent && raw->relrent != 8)
        return report_values(report, LDR_E_RELOC_ENT, image->path, raw->relrent, 8, DT_RELRENT);
    u64 relasz = raw->relasz;
    if (raw->jmprel && raw->pltrelsz && raw->pltrel == DT_RELA) {
        if ((err = check_range(image, view, raw->jmprel, raw->pltrelsz, DT_JMPREL, LDR_E_RELOC_RANGE, &at, report)))
            return err;
        image->plt = (struct rela_table){ at, raw->pltrelsz / sizeof(Elf64_Rela) };
        /* Some link editors count .rela.plt, when it ends .rela.dyn's range, in DT_RELASZ too: take it once. */
        if (raw->rela && raw->rela + relasz == raw->jmprel + raw->pltrelsz && raw->jmprel >= raw->rela)
            relasz = raw->jmprel - raw->rela;
    } else if (raw->jmprel && raw->pltrelsz) {
        return report_values(report, LDR_E_RELOC_ENT, image->path, raw->pltrel, DT_RELA, DT_PLTREL);
    }
    if (raw->rela && relasz) {
        if ((err = check_range(image, view, raw->rela, relasz, DT_RELA, LDR_E_RELOC_RANGE, &at, report)))
            return err;
        image->rela = (struct rela_table){ at, relasz / sizeof(Elf64_Rela) };
    }
    if (raw->rel && raw->relsz) {
        if ((err = check_range(image, view, raw->rel, raw->relsz, DT_REL, LDR_E_RELOC_RANGE, &at, report)))
            return err;
        image->rel = (struct rel_table){ at, raw->relsz / sizeof(Elf64_Rel) };
    }
    if (raw->relr && raw->relrsz) {
        if ((err = check_range(image, view, raw->relr, raw->relrsz, DT_RELR, LDR_E_RELOC_RANGE, &at, report)))
            return err;
        image->relr = (struct relr_table){ at, raw->relrsz / 8 };
    }
    if (image->rela_relative > image->rela.count)
        image->rela_relative = image->rela.count;
    return 0;
}

static int read_array(struct image *image, const struct view *view, struct func_array *array, u64 vaddr, u64 len, u64 tag,
                      struct report *report)
{
    if (!vaddr || !len)
        return 0;
    const void *at;
    int err = check_range(image, view, vaddr, len, tag, LDR_E_INIT_RANGE, &at, report);
    if (!err)
        *array = (struct func_array){ vaddr, len / 8 };
    return err;
}

/* DT_INIT and DT_FINI are called: they must at least be code. The entries of the arrays cannot be judged, relocations make them. */
static int check_code(const struct image *image, const struct view *view, u64 vaddr, u64 tag, struct report *report)
{
    for (u32 i = 0; vaddr && i < view->plan->seg_count; i++) {
        const struct segment *seg = &view->plan->seg[i];
        if ((seg->prot & PF_X) && vaddr >= seg->vaddr && vaddr < seg->file_end)
            return 0;
    }
    return vaddr ? report_values(report, LDR_E_INIT_RANGE, image->path, vaddr, PF_X, tag) : 0;
}

int image_read_dynamic(struct image *image, const struct view *view, struct report *report)
{
    if (!image->dyn_vaddr)
        return 0;
    u64 extent = view_extent(view, image->dyn_vaddr);
    if (image->dyn_len < extent)
        extent = image->dyn_len;
    if (extent < sizeof(Elf64_Dyn) || image->dyn_vaddr % 8)
        return report_values(report, LDR_E_DYN_RANGE, image->path, image->dyn_vaddr, image->dyn_len, 0);
    const Elf64_Dyn *dyn = view_at(view, image->dyn_vaddr, sizeof *dyn);
    struct raw raw = { 0 };
    u64 max = extent / sizeof *dyn, count = 0;
    while (count < max && dyn[count].d_tag != DT_NULL)
        take_tag(image, &raw, &dyn[count++]);
    if (count == max)
        return report_values(report, LDR_E_DYN_UNENDED, image->path, max, DT_NULL, image->dyn_vaddr);
    image->dyn = dyn;
    image->dyn_count = (u32)count;
    image->symbolic |= (image->flags & DF_SYMBOLIC) != 0;
    image->textrel |= (image->flags & DF_TEXTREL) != 0;
    image->bind_now |= (image->flags & DF_BIND_NOW) != 0 || (image->flags_1 & DF_1_NOW) != 0;

    int err = read_strings(image, view, &raw, report);
    if (!err)
        err = read_symbols(image, view, &raw, report);
    if (!err)
        err = read_relocations(image, view, &raw, report);
    if (!err)
        err = read_array(image, view, &image->init_array, raw.init_array, raw.init_arraysz, DT_INIT_ARRAY, report);
    if (!err)
        err = read_array(image, view, &image->fini_array, raw.fini_array, raw.fini_arraysz, DT_FINI_ARRAY, report);
    if (!err)
        err = read_array(image, view, &image->preinit_array, raw.preinit_array, raw.preinit_arraysz, DT_PREINIT_ARRAY, report);
    if (!err)
        err = check_code(image, view, image->init_vaddr, DT_INIT, report);
    if (!err)
        err = check_code(image, view, image->fini_vaddr, DT_FINI, report);
    return err;
}

bool image_next_dyn(const struct image *image, u32 *at, i64 tag, u64 *value)
{
    while (*at < image->dyn_count) {
        const Elf64_Dyn *dyn = &image->dyn[(*at)++];
        if (dyn->d_tag == tag) {
            *value = dyn->d_un.d_val;
            return true;
        }
    }
    return false;
}
