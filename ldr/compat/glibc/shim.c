/* shim.c - glibc's private contract with its linker, kept by filling the genuine linker's own data ("strategy B"): the real
 * ld-linux-x86-64.so.2 is mapped and relocated as an ordinary object, its entry point never runs, and what its start would have
 * written is written here. Offsets come from layout/ only. NOTES.md lists what each field is for and what broke without it. */
#include "glibc.h"
#include "derive.h"
#include "../../api/message.h"

struct glibc_side glibc;

static const struct glibc_layout rows[] = {
#include "layout/rows.h"
};
static COLD_DATA struct glibc_layout derived;

/* ---- finding the pair ------------------------------------------------------------------------------------------------ */

u64 glibc_symbol(const struct object *object, const char *name, const char *version)
{
    struct version wanted = { .name = version, .hash = version ? sysv_hash_of(version) : 0, .hidden = true };
    struct symbol_want want = { .name = name, .version = version ? &wanted : NULL, .newest = true };
    want.gnu = gnu_hash_len(name, &want.len);
    const Elf64_Sym *sym = object ? image_find_symbol(&object->image, &want) : NULL;
    if (!sym)
        return 0;
    u64 address = object->bias + sym->st_value;
    if (ELF64_ST_TYPE(sym->st_info) == STT_GNU_IFUNC)
        address = ((u64(*)(void))address)();
    return address;
}

static struct object *object_named(const char *soname)
{
    for (struct object *object = session.first; object; object = object->next)
        if (object->image.soname && str_equal(object->image.soname, soname))
            return object;
    return NULL;
}

static int find_for_derive(void *ctx, enum glibc_object which, const char *name, uint64_t *vaddr, uint64_t *size)
{
    (void)ctx;
    const struct object *object = which == GLIBC_LD ? session.linker : session.libc;
    struct symbol_want want = { .name = name, .newest = true };
    want.gnu = gnu_hash_len(name, &want.len);
    const Elf64_Sym *sym = image_find_symbol(&object->image, &want);
    if (!sym)
        return 0;
    *vaddr = sym->st_value;
    *size = sym->st_size;
    return 1;
}

static unsigned spans_of(const struct object *object, struct glibc_span *spans, unsigned room)
{
    unsigned count = 0;
    for (u32 i = 0; i < object->image.plan.seg_count && count < room; i++) {
        const struct segment *seg = &object->image.plan.seg[i];
        spans[count++] = (struct glibc_span){ (const uint8_t *)(object->bias + seg->vaddr), seg->vaddr, seg->mem_end - seg->vaddr };
    }
    return count;
}

static void put_id(struct text *t, const u8 *id)
{
    for (u32 i = 0; i < 20; i++) {
        text_char(t, "0123456789abcdef"[id[i] >> 4]);
        text_char(t, "0123456789abcdef"[id[i] & 15]);
    }
}

static int refuse(const u8 *ld_id, const u8 *libc_id, const struct glibc_mismatch *why)
{
    static COLD_DATA char buf[1024];
    struct text t = text_on(buf, sizeof buf);
    text_put(&t, session.libc->path);
    text_put(&t, " (build-id ");
    put_id(&t, libc_id);
    text_put(&t, ") with ");
    text_put(&t, session.linker->path);
    text_put(&t, " (build-id ");
    put_id(&t, ld_id);
    text_put(&t, ")");
    if (why && why->field) {
        text_put(&t, ", field ");
        text_put(&t, why->field);
        text_put(&t, " expected ");
        text_dec(&t, why->expected);
        text_put(&t, " found ");
        text_dec(&t, why->found);
    }
    struct problem problem = { .code = LDR_E_LAYOUT, .object = buf };
    return report_problem(&session.report, &problem);
}

int shim_recognise(void)
{
    session.libc = object_named("libc.so.6");
    session.linker = object_named("ld-linux-x86-64.so.2");
    if (!session.libc || !session.linker)
        return 0;
    session.libc->is_libc = true;
    static const u8 none[20];
    u32 len = 0;
    const u8 *ld_id = image_note(&session.linker->image, &session.linker->view, "GNU", NT_GNU_BUILD_ID, &len);
    if (len != 20)
        ld_id = none;
    const u8 *libc_id = image_note(&session.libc->image, &session.libc->view, "GNU", NT_GNU_BUILD_ID, &len);
    if (len != 20)
        libc_id = none;
    struct glibc_mismatch why = { 0 };
    glibc.row = glibc_row_find(rows, ARRAY_COUNT(rows), ld_id, libc_id);
    struct glibc_span ld_spans[8], libc_spans[8];
    struct glibc_images images = { .find = find_for_derive };
    images.object[GLIBC_LD] = (struct glibc_image){ ld_spans, spans_of(session.linker, ld_spans, ARRAY_COUNT(ld_spans)) };
    images.object[GLIBC_LIBC] = (struct glibc_image){ libc_spans, spans_of(session.libc, libc_spans, ARRAY_COUNT(libc_spans)) };
    if (glibc.row) {
        /* Build-ids can be forged or left when a file is patched: libc's own descriptors must agree. */
        if (glibc_row_check(&images, glibc.row, GLIBC_QUICK, &why) != 0)
            return refuse(ld_id, libc_id, &why);
    } else {
        /* No row for this pair: derive one from the binaries, and believe it only for another build of a known release. */
        const struct glibc_layout *nearest = NULL;
        if (glibc_row_derive(&images, rows, ARRAY_COUNT(rows), &derived, &nearest, &why) != 0 ||
            !str_equal(derived.version, nearest->version))
            return refuse(ld_id, libc_id, &why);
        glibc.row = &derived;
    }
    struct symbol_want want = { .name = "_rtld_global", .newest = true };
    want.gnu = gnu_hash_len(want.name, &want.len);
    const Elf64_Sym *global = image_find_symbol(&session.linker->image, &want);
    want.name = "_rtld_global_ro";
    want.gnu = gnu_hash_len(want.name, &want.len);
    const Elf64_Sym *ro = image_find_symbol(&session.linker->image, &want);
    if (!global || !ro || global->st_size != glibc.row->g_size || ro->st_size != glibc.row->ro_size || glibc.row->lm_size > LINK_MAP_ROOM) {
        why = (struct glibc_mismatch){ .field = "_rtld_global", .expected = glibc.row->g_size, .found = global ? (u32)global->st_size : 0 };
        return refuse(ld_id, libc_id, &why);
    }
    glibc.global = (char *)session.linker->bias + global->st_value;
    glibc.ro = (char *)session.linker->bias + ro->st_value;
    return 0;
}

/* ---- locks ----------------------------------------------------------------------------------------------------------- */

static void lock(u32 offset)
{
    if (glibc.ready && glibc_has(offset))
        glibc.mutex_lock(glibc.global + offset);
}
static void unlock(u32 offset)
{
    if (glibc.ready && glibc_has(offset))
        glibc.mutex_unlock(glibc.global + offset);
}
void shim_lock_load(void) { if (glibc.ready) lock(glibc.row->g_load_lock); }
void shim_unlock_load(void) { if (glibc.ready) unlock(glibc.row->g_load_lock); }
void shim_lock_write(void) { if (glibc.ready) lock(glibc.row->g_load_write_lock); }
void shim_unlock_write(void) { if (glibc.ready) unlock(glibc.row->g_load_write_lock); }
void shim_lock_tls(void) { if (glibc.ready) lock(glibc.row->g_load_tls_lock); }
void shim_unlock_tls(void) { if (glibc.ready) unlock(glibc.row->g_load_tls_lock); }

/* ---- thread control block -------------------------------------------------------------------------------------------- */

/* The head of the TCB has not moved since 2.31; compiled code itself knows fs:0x28. It is needed with any C library. */
#define TCB_SELF 0u
#define TCB_DTV 8u
#define TCB_SELF2 16u
#define TCB_STACK_GUARD 40u
#define TCB_POINTER_GUARD 48u
#define PLAIN_THREAD 704u

u64 shim_thread_size(void) { return glibc.row ? glibc.row->pd_size : PLAIN_THREAD; }
u64 shim_thread_align(void) { return 64; }
u64 shim_tls_surplus(void) { return 1664; }            /* glibc's default: 4 namespaces, 512 optional */

/* 2.41 and later keep the rseq area below all module blocks. */
u64 shim_tls_extra(u64 used)
{
    if (!glibc.row || glibc_has(glibc.row->pd_rseq_area))
        return 0;
    u64 align = session.kernel.rseq_align > 32 ? session.kernel.rseq_align : 32;
    u64 size = session.kernel.rseq_size > 32 ? session.kernel.rseq_size : 32;
    return align_up(used, align) + align_up(size, align) - used;
}

void shim_start_thread_pointer(char *tp)
{
    GLIBC_AT(tp, TCB_SELF, char *) = tp;
    GLIBC_AT(tp, TCB_SELF2, char *) = tp;
    if (session.kernel.random) {
        GLIBC_AT(tp, TCB_STACK_GUARD, u64) = session.kernel.random[0] & ~0xffull;      /* a zero byte stops string overflows */
        GLIBC_AT(tp, TCB_POINTER_GUARD, u64) = session.kernel.random[1];
    }
}

void shim_set_dtv(char *tp, void *dtv) { GLIBC_AT(tp, TCB_DTV, void *) = dtv; }
void *shim_get_dtv(char *tp) { return GLIBC_AT(tp, TCB_DTV, void *); }

static void list_self(char *head)
{
    GLIBC_AT(head, 0, char *) = head;
    GLIBC_AT(head, 8, char *) = head;
}

void shim_main_thread(void)
{
    const struct glibc_layout *row = glibc.row;
    if (!row)
        return;
    char *tp = session.main_tp, *g = glibc.global;
    list_self(g + row->g_stack_used);
    list_self(g + row->g_stack_cache);
    char *user = g + row->g_stack_user, *node = tp + row->pd_list;
    GLIBC_AT(user, 0, char *) = node;
    GLIBC_AT(user, 8, char *) = node;
    GLIBC_AT(node, 0, char *) = user;
    GLIBC_AT(node, 8, char *) = user;

    u32 exit_word = glibc_has(row->pd_joinstate) ? row->pd_joinstate : row->pd_tid;
    GLIBC_AT(tp, row->pd_tid, int) = sys_set_tid_address((int *)(void *)(tp + exit_word));
    if (glibc_has(row->pd_joinstate))
        GLIBC_AT(tp, row->pd_joinstate, int) = 2;      /* joinable; 0 would mean exited */
    GLIBC_AT(tp, row->pd_specific, char *) = tp + row->pd_specific_1stblock;
    if (glibc_has(row->pd_user_stack))
        GLIBC_AT(tp, row->pd_user_stack, u8) = 1;
    if (glibc_has(row->pd_stack_mode))
        GLIBC_AT(tp, row->pd_stack_mode, int) = 2;
    GLIBC_AT(tp, row->pd_stackblock_size, u64) = (u64)session.kernel.stack;
    u64 report_events = glibc_symbol(session.linker, "__nptl_initial_report_events", NULL);
    if (report_events)
        GLIBC_AT(tp, row->pd_report_events, u8) = *(u8 *)report_events;
    char *robust = tp + row->pd_robust_head;
    GLIBC_AT(tp, row->pd_robust_prev, char *) = robust;
    GLIBC_AT(robust, 0, char *) = robust;
    GLIBC_AT(tp, row->pd_robust_head_futex_offset, i64) = -32;
    sys_set_robust_list(robust, row->pd_robust_head_size);

    bool in_thread = glibc_has(row->pd_rseq_area);
    char *area = in_thread ? tp + row->pd_rseq_area : tp - session.tls.used;
    GLIBC_AT(area, 4, int) = -1;
    int failed = sys_rseq(area, 32, 0x53053053);
    if (failed)
        GLIBC_AT(area, 4, int) = -2;
    u64 size = glibc_symbol(session.linker, "__rseq_size", NULL), offset = glibc_symbol(session.linker, "__rseq_offset", NULL);
    if (size)
        *(u32 *)size = failed ? 0 : in_thread ? 20 : (u32)(session.kernel.rseq_size > 20 ? session.kernel.rseq_size : 20);
    if (offset)
        *(u64 *)offset = (u64)(area - tp);
}

/* ---- objects --------------------------------------------------------------------------------------------------------- */

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
        u32 index = glibc_info_index(row, image->dyn[i].d_tag);
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
    if (!readonly)
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

/* ---- static data ----------------------------------------------------------------------------------------------------- */

static void set_linker_word(const char *name, u64 value, u32 width)
{
    u64 at = glibc_symbol(session.linker, name, NULL);
    if (at && width == 8)
        *(u64 *)at = value;
    else if (at)
        *(u32 *)at = (u32)value;
}

static void set_static_tls(void)
{
    const struct glibc_layout *row = glibc.row;
    GLIBC_AT(glibc.ro, row->ro_tls_static_size, u64) = align_up(session.tls_static_room, session.tls.align) + row->pd_size;
    GLIBC_AT(glibc.ro, row->ro_tls_static_align, u64) = session.tls.align;
    GLIBC_AT(glibc.ro, row->ro_tls_static_surplus, u64) = session.tls_static_room - session.tls.used;
    GLIBC_AT(glibc.global, row->g_tls_static_used, u64) = session.tls.used;
}

void shim_fill(void)
{
    const struct glibc_layout *row = glibc.row;
    if (!row)
        return;
    const struct kernel_facts *k = &session.kernel;
    char *g = glibc.global, *ro = glibc.ro;
    GLIBC_AT(g, row->g_nns, u64) = 1;
    GLIBC_AT(g, row->g_ns_libc_map, void *) = object_map(session.libc);
    u32 stack = session.program->image.stack_flags;
    if (glibc_has(row->g_stack_flags))
        GLIBC_AT(g, row->g_stack_flags, u32) = stack;
    if (glibc_has(row->g_stack_prot_flags))
        GLIBC_AT(g, row->g_stack_prot_flags, u32) = PROT_READ | PROT_WRITE | (stack & PF_X ? PROT_EXEC : 0);
    /* Equal non-NULL pointers: "the linker is active", and nothing for __libc_freeres to free. */
    GLIBC_AT(ro, row->ro_init_all_dirs, void *) = &glibc;
    GLIBC_AT(g, row->g_all_dirs, void *) = &glibc;

    GLIBC_AT(ro, row->ro_pagesize, u64) = k->page;
    GLIBC_AT(ro, row->ro_minsigstacksize, u64) = k->minsigstksz ? k->minsigstksz : 2048;
    GLIBC_AT(ro, row->ro_clktck, u32) = (u32)k->clktck;
    GLIBC_AT(ro, row->ro_hwcap2, u64) = k->hwcap2;      /* hwcap itself is what the genuine linker's IRELATIVE computed */
    GLIBC_AT(ro, row->ro_auxv, void *) = k->auxv;
    GLIBC_AT(ro, row->ro_lazy, int) = !session.config.bind_now;
    set_static_tls();

    GLIBC_AT(ro, row->ro_sysinfo_dso, u64) = k->sysinfo_ehdr;
    GLIBC_AT(ro, row->ro_sysinfo_map, void *) = session.vdso ? object_map(session.vdso) : NULL;
    GLIBC_AT(ro, row->ro_vdso_clock_gettime64, u64) = glibc_vdso("__vdso_clock_gettime");
    GLIBC_AT(ro, row->ro_vdso_gettimeofday, u64) = glibc_vdso("__vdso_gettimeofday");
    GLIBC_AT(ro, row->ro_vdso_time, u64) = glibc_vdso("__vdso_time");
    GLIBC_AT(ro, row->ro_vdso_getcpu, u64) = glibc_vdso("__vdso_getcpu");
    GLIBC_AT(ro, row->ro_vdso_clock_getres_time64, u64) = glibc_vdso("__vdso_clock_getres");
    if (glibc_has(row->ro_vdso_getrandom))
        GLIBC_AT(ro, row->ro_vdso_getrandom, u64) = glibc_vdso("__vdso_getrandom");
    glibc_install_functions();

    set_linker_word("_dl_argv", (u64)k->argv, 8);
    set_linker_word("__libc_stack_end", (u64)k->stack, 8);
    set_linker_word("__libc_enable_secure", session.config.secure, 4);
    if (glibc_has(row->ld_dl_argc))
        *(u32 *)(session.linker->bias + row->ld_dl_argc) = (u32)k->argc;
    if (glibc_has(row->ld_dl_random))
        *(const void **)(session.linker->bias + row->ld_dl_random) = k->random;
}

bool shim_static_tls_grow(u64 room)
{
    if (!glibc.row)
        return false;
    /* The word lies in the genuine linker's RELRO. */
    u64 start = align_down((u64)glibc.ro, LDR_PAGE), end = align_up((u64)glibc.ro + glibc.row->ro_size, LDR_PAGE);
    bool sealed = session.linker->state >= OBJECT_PROTECTED;
    if (sealed && sys_mprotect((void *)start, end - start, PROT_READ | PROT_WRITE) != 0)
        return false;
    u64 before = session.tls_static_room;
    session.tls_static_room = room;
    set_static_tls();
    session.tls_static_room = before;
    if (sealed)
        sys_mprotect((void *)start, end - start, PROT_READ);
    return true;
}

/* ---- threads --------------------------------------------------------------------------------------------------------- */

/* libc's low-level lock: 0 free, 1 held, 2 held and waited for (private futex). */
static void stack_lock(int *word)
{
    int zero = 0;
    if (__atomic_compare_exchange_n(word, &zero, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return;
    while (__atomic_exchange_n(word, 2, __ATOMIC_ACQUIRE) != 0)
        sys_futex_wait(word, 2);
}
static void stack_unlock(int *word)
{
    if (__atomic_exchange_n(word, 0, __ATOMIC_RELEASE) == 2)
        sys_futex_wake(word, 1);
}

void shim_each_thread(void (*visit)(char *tp, void *arg), void *arg)
{
    const struct glibc_layout *row = glibc.row;
    if (!row) {
        visit(session.main_tp, arg);
        return;
    }
    int *word = &GLIBC_AT(glibc.global, row->g_stack_cache_lock, int);
    stack_lock(word);
    for (u32 which = 0; which < 2; which++) {
        char *head = glibc.global + (which ? row->g_stack_user : row->g_stack_used);
        for (char *node = GLIBC_AT(head, 0, char *); node && node != head; node = GLIBC_AT(node, 0, char *))
            visit(node - row->pd_list, arg);
    }
    stack_unlock(word);
}

static void count_one(char *tp, void *arg)
{
    (void)tp;
    ++*(u64 *)arg;
}

u64 shim_thread_count(void)
{
    u64 count = 0;
    if (!session.started)
        return 1;
    shim_each_thread(count_one, &count);
    return count;
}

/* ---- fork ------------------------------------------------------------------------------------------------------------ */

/* A fork while another thread is loading would give the child half a load and, in its lists, a lock nobody holds. libc only makes the
 * locks anew. So wait for the other thread to finish, but not for ever: its constructor may be waiting for us. */
#define FORK_WAIT_MS 100
static bool fork_holds[3];

static u32 fork_lock_offset(u32 which)
{
    const struct glibc_layout *row = glibc.row;
    return which == 0 ? row->g_load_lock : which == 1 ? row->g_load_write_lock : row->g_load_tls_lock;
}

static void before_fork(void)
{
    u32 left = FORK_WAIT_MS;
    for (u32 which = 0; which < ARRAY_COUNT(fork_holds); which++) {
        u32 offset = fork_lock_offset(which);
        bool held = false;
        while (glibc_has(offset) && !(held = glibc.mutex_trylock(glibc.global + offset) == 0) && left) {
            u64 pause[2] = { 0, 1000000 };
            sys_call(__NR_nanosleep, (long)pause, 0, 0, 0, 0, 0);
            left--;
        }
        fork_holds[which] = held;
    }
}

static void after_fork_parent(void)
{
    bool holds[3];
    memcpy(holds, fork_holds, sizeof holds);            /* unlocked, another thread may fork and write it */
    for (u32 which = ARRAY_COUNT(holds); which-- > 0;)
        if (holds[which])
            glibc.mutex_unlock(glibc.global + fork_lock_offset(which));
}

#define MUTEX_KIND 16u                /* of pthread_mutex_t; 1: recursive */
static void after_fork_child(void)
{
    /* load and tls lock were made anew by libc; the write lock carries the parent's thread id as owner */
    char *mutex = glibc.global + glibc.row->g_load_write_lock;
    memset(mutex, 0, glibc.row->g_lock_size);
    GLIBC_AT(mutex, MUTEX_KIND, int) = 1;
}

int shim_early_init(void)
{
    if (!glibc.row)
        return 0;
    u64 early = glibc_symbol(session.libc, "__libc_early_init", "GLIBC_PRIVATE");
    if (!early)
        return report_values(&session.report, LDR_E_LAYOUT, session.libc->path, 0, 0, 0);
    ((void (*)(bool))early)(true);
    glibc.mutex_lock = (int (*)(void *))glibc_symbol(session.libc, "pthread_mutex_lock", NULL);
    glibc.mutex_unlock = (int (*)(void *))glibc_symbol(session.libc, "pthread_mutex_unlock", NULL);
    glibc.errno_location = (int *(*)(void))glibc_symbol(session.libc, "__errno_location", NULL);
    glibc.mutex_trylock = (int (*)(void *))glibc_symbol(session.libc, "pthread_mutex_trylock", NULL);
    glibc.ready = glibc.mutex_lock && glibc.mutex_unlock && glibc.mutex_trylock;
    int (*atfork)(void (*)(void), void (*)(void), void (*)(void), void *) =
        (int (*)(void (*)(void), void (*)(void), void (*)(void), void *))glibc_symbol(session.libc, "__register_atfork", NULL);
    if (glibc.ready && atfork)
        atfork(before_fork, after_fork_parent, after_fork_child, NULL);
    return 0;
}

/* The program's malloc, wherever it is defined: what it gives, libc's free() must be able to take back. */
static u64 global_function(const char *name)
{
    struct symbol_want want = { .name = name, .classes = CLASS_PLT, .newest = true };
    struct binding found;
    want.gnu = gnu_hash_len(name, &want.len);
    return scope_find(&session.global, 0, &want, NULL, &found) ? binding_address(&found) : 0;
}

void *shim_malloc(size_t len)
{
    if (!glibc.malloc) {
        glibc.free = (void (*)(void *))global_function("free");
        glibc.malloc = (void *(*)(size_t))global_function("malloc");
    }
    return glibc.malloc && glibc.free ? glibc.malloc(len) : heap_alloc(len);
}

void shim_free(void *at)
{
    if (glibc.free)
        glibc.free(at);
    else
        heap_free(at);
}

void shim_no_memory(void)
{
    if (glibc.errno_location)
        *glibc.errno_location() = 12;
}

int shim_allow_executable_stacks(void)
{
    const struct glibc_layout *row = glibc.row;
    if (!row)
        return 0;
    if (glibc_has(row->g_stack_flags))
        GLIBC_AT(glibc.global, row->g_stack_flags, u32) |= PF_X;
    if (glibc_has(row->g_stack_prot_flags))
        GLIBC_AT(glibc.global, row->g_stack_prot_flags, u32) |= PROT_EXEC;
    int (*change)(void *) = (int (*)(void *))glibc_symbol(session.linker, "__nptl_change_stack_perm", "GLIBC_PRIVATE");
    if (!session.started || !change)
        return 0;
    /* Threads that run already: libc's own list, under its lock. The main thread's stack was done by the caller. */
    int *word = &GLIBC_AT(glibc.global, row->g_stack_cache_lock, int);
    int err = 0;
    stack_lock(word);
    char *head = glibc.global + row->g_stack_used;
    for (char *node = GLIBC_AT(head, 0, char *); node && node != head && !err; node = GLIBC_AT(node, 0, char *))
        err = change(node - row->pd_list);
    head = glibc.global + row->g_stack_cache;
    for (char *node = GLIBC_AT(head, 0, char *); node && node != head && !err; node = GLIBC_AT(node, 0, char *))
        err = change(node - row->pd_list);
    stack_unlock(word);
    return -err;
}

u64 shim_xsave_size(void)
{
    return glibc.row ? GLIBC_AT(glibc.ro, glibc.row->ro_cpu_features + glibc.row->cf_xsave_state_size, u64) : 0;
}

bool shim_xsavec(void)
{
    const struct glibc_layout *row = glibc.row;
    return row && (GLIBC_AT(glibc.ro, row->ro_cpu_features + row->cf_index_d_ecx_1 + row->cf_active, u32) & 2) != 0;
}
