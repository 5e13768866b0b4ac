/* objects.c - the private half of struct link_map: what libc, debuggers and libthread_db read of each object. */
#include "glibc.h"

static bool dynamic_is_writable(const struct object *object)
{
    const struct plan *plan = &object->image.plan;
    for (u32 i = 0; i < plan->seg_count; i++)
        if (object->image.dyn_vaddr >= plan->seg[i].vaddr && object->image.dyn_vaddr < plan->seg[i].mem_end)
            return (plan->seg[i].prot & PF_W) != 0;
    return false;
}

/* Pointers in .dynamic become addresses in place, as under the system's linker: code that walks l_ld expects them so. */
static void relocate_dynamic(struct object *object)
{
    for (u32 i = 0; i < object->image.dyn_count; i++) {
        Elf64_Dyn *dyn = (Elf64_Dyn *)&object->image.dyn[i];
        switch (dyn->d_tag) {
        case DT_HASH: case DT_PLTGOT: case DT_STRTAB: case DT_SYMTAB: case DT_RELA: case DT_REL: case DT_JMPREL:
        case DT_VERSYM: case DT_GNU_HASH: case DT_RELR:
            dyn->d_un.d_ptr += object->bias;
        }
    }
}

static void set_bit(char *map, u32 byte, u32 bit)
{
    if (glibc_has(byte))
        GLIBC_AT(map, byte, u8) |= (u8)(1u << bit);
}

static void fill_private_map(struct object *object, char *map, bool readonly)
{
    const struct glibc_layout *row = glibc.row;
    const struct image *image = &object->image;
    GLIBC_AT(map, row->lm_real, char *) = map;
    /* libc's __libc_freeres follows l_libname->next without asking and finds the end; one for all */
    static u64 libname[4];
    GLIBC_AT(libname, row->ln_name, const char *) = "";
    GLIBC_AT(libname, row->ln_dont_free, int) = 1;
    GLIBC_AT(map, row->lm_libname, void *) = libname;
    for (u32 i = 0; i < image->dyn_count; i++) {
        u32 index = glibc_info_index(row, object->dyn_tags ? (i64)object->dyn_tags[i] : image->dyn[i].d_tag);
        if (glibc_has(index))
            GLIBC_AT(map, row->lm_info + 8 * index, const void *) = &image->dyn[i];
    }
    GLIBC_AT(map, row->lm_phdr, const void *) = image->phdr;
    GLIBC_AT(map, row->lm_phnum, u16) = image->phnum;
    GLIBC_AT(map, row->lm_entry, u64) = object->bias + image->entry;
    GLIBC_AT(map, row->lm_ldnum, u16) = (u16)(image->dyn_count + 1);
    GLIBC_AT(map, row->lm_map_start, u64) = object->map_start;
    GLIBC_AT(map, row->lm_map_end, u64) = object->map_end;
    if (image->gnu.bucket) {
        GLIBC_AT(map, row->lm_nbuckets, u32) = image->gnu.bucket_count;
        GLIBC_AT(map, row->lm_gnu_buckets, const void *) = image->gnu.bucket;
        GLIBC_AT(map, row->lm_gnu_chain_zero, const void *) = image->gnu.chain - image->gnu.sym_offset;
    } else if (image->sysv.bucket) {
        GLIBC_AT(map, row->lm_nbuckets, u32) = image->sysv.bucket_count;
    }
    if (!object->is_program)
        set_bit(map, row->lm_type_byte, row->lm_type_bit + (object->at_start ? 0 : 1));        /* 1 library, 2 dlopened */
    set_bit(map, row->lm_relocated_byte, row->lm_relocated_bit);
    set_bit(map, row->lm_contiguous_byte, row->lm_contiguous_bit);
    if (readonly)
        set_bit(map, row->lm_ld_readonly_byte, row->lm_ld_readonly_bit);
    GLIBC_AT(map, row->lm_tls_modid, u64) = object->tls_module;
    GLIBC_AT(map, row->lm_tls_offset, u64) = object->tls_offset;
}

static void keep_counts(void)
{
    const struct glibc_layout *row = glibc.row;
    GLIBC_AT(glibc.global, row->g_ns_loaded, void *) = object_map(session.first);
    GLIBC_AT(glibc.global, row->g_ns_nloaded, u32) = session.object_count;
    GLIBC_AT(glibc.global, row->g_load_adds, u64) = session.adds;
}

void shim_object_added(struct object *object)
{
    struct public_map *map = object_map(object);
    bool readonly = object->is_vdso || !dynamic_is_writable(object);
    if (!readonly && !object->shared)         /* an image has it done */
        relocate_dynamic(object);
    map->l_addr = object->bias;
    map->l_name = object->path;
    map->l_ld = (Elf64_Dyn *)object->image.dyn;
    if (glibc.row)
        fill_private_map(object, (char *)map, readonly);
    map->l_prev = object->prev ? object_map(object->prev) : NULL;
    map->l_next = object->next ? object_map(object->next) : NULL;
    if (object->prev)
        __atomic_store_n(&object_map(object->prev)->l_next, map, __ATOMIC_RELEASE);
    if (glibc.row)
        keep_counts();
}

void shim_object_removed(struct object *object)
{
    struct public_map *map = object_map(object);
    if (map->l_prev)
        map->l_prev->l_next = map->l_next;
    if (map->l_next)
        map->l_next->l_prev = map->l_prev;
    if (glibc.row)
        keep_counts();
}

void shim_tls_changed(struct object *object)
{
    if (!glibc.row)
        return;
    char *map = (char *)object_map(object);
    GLIBC_AT(map, glibc.row->lm_tls_modid, u64) = object->tls_module;
    GLIBC_AT(map, glibc.row->lm_tls_offset, u64) = object->tls_offset;
}

u64 *shim_tls_dtor_count(struct object *object)
{
    return glibc.row ? &GLIBC_AT(object_map(object), glibc.row->lm_tls_dtor_count, u64) : NULL;
}

/* libthread_db finds a TLS variable through module id -> map -> offset. One list element, replaced when it is too short. */
void shim_publish_modules(void)
{
    const struct glibc_layout *row = glibc.row;
    if (!row)
        return;
    u64 need = session.module_count + 1;
    if (need > glibc.slotinfo_room) {
        u64 room = need + (session.started ? 16 : 3), len = row->sl_slotinfo + room * row->sl_slotinfo_stride;
        u64 *list = session.started ? heap_alloc(len) : arena_zalloc(&session.permanent, len);
        if (!list)
            return;
        GLIBC_AT(list, row->sl_len, u64) = room;
        glibc.slotinfo = list;
        glibc.slotinfo_room = room;
    }
    for (u64 id = 1; id <= session.module_count; id++) {
        char *slot = (char *)glibc.slotinfo + row->sl_slotinfo + id * row->sl_slotinfo_stride;
        struct object *object = session.module[id].object;
        GLIBC_AT(slot, row->sl_gen, u64) = session.module[id].generation;
        GLIBC_AT(slot, row->sl_map, void *) = object ? object_map(object) : NULL;
    }
    GLIBC_AT(glibc.global, row->g_tls_dtv_slotinfo_list, void *) = glibc.slotinfo;
    GLIBC_AT(glibc.global, row->g_tls_max_dtv_idx, u64) = session.module_count;
    if (session.libc && session.libc->tls_module)
        shim_tls_changed(session.libc);
}
