/* shim.c - glibc's private contract with its linker, kept by filling the genuine linker's own data ("strategy B"): the real
 * ld-linux-x86-64.so.2 is mapped and relocated as an ordinary object, its entry point never runs, and what its start would have
 * written is written here. Offsets come from layout/ only. NOTES.md lists what each field is for and what broke without it. */
#include "glibc.h"
#include "derive.h"
#include "../../api/message.h"
#include "../../debug/events.h"
#include "../../debug/r_debug.h"

struct glibc_side glibc;

static const struct glibc_layout rows[] = {
#include "layout/rows.h"
};
static COLD_DATA struct glibc_layout derived;

/* ---- finding the pair ------------------------------------------------------------------------------------------------ */

static const Elf64_Sym *find_symbol(const struct object *object, const char *name, const char *version)
{
    struct version wanted = { .name = version, .hash = version ? sysv_hash_of(version) : 0, .hidden = true };
    struct symbol_want want = { .name = name, .version = version ? &wanted : NULL, .newest = true };
    want.gnu = gnu_hash_len(name, &want.len);
    return object ? image_find_symbol(&object->image, &want) : NULL;
}

static u64 symbol_address(const struct object *object, const Elf64_Sym *sym)
{
    if (!sym)
        return 0;
    u64 address = object->bias + sym->st_value;
    if (ELF64_ST_TYPE(sym->st_info) == STT_GNU_IFUNC)
        address = ((u64(*)(void))address)();
    return address;
}

u64 glibc_symbol(const struct object *object, const char *name, const char *version)
{
    return symbol_address(object, find_symbol(object, name, version));
}

/* ---- what a start finds in both, and the next one need not look for -------------------------------------------------- */

static const char known_name[KNOWN_COUNT][30] = {
    "_rtld_global", "_rtld_global_ro", "_dl_argv", "__libc_stack_end", "__libc_enable_secure", "__nptl_initial_report_events", "__rseq_size",
    "__rseq_offset", "_r_debug", "__libc_early_init", "pthread_mutex_lock", "pthread_mutex_unlock", "pthread_mutex_trylock", "__errno_location",
    "__register_atfork", "__cxa_finalize"
};

struct facts {
    u64 row;                          /* number of the row + 1 */
    u64 vaddr[KNOWN_COUNT];           /* 0: no such symbol */
};
static const struct facts *recalled;
static COLD_DATA struct facts told;

static const struct object *known_in(enum glibc_known which)
{
    return which < KNOWN_EARLY_INIT ? session.linker : session.libc;
}

static const Elf64_Sym *known_symbol(enum glibc_known which)
{
    const Elf64_Sym *sym = find_symbol(known_in(which), known_name[which], which == KNOWN_EARLY_INIT ? "GLIBC_PRIVATE" : NULL);
    return sym && which == KNOWN_DEBUG && sym->st_size < DEBUG_INTERFACE_V1 ? NULL : sym;
}

u64 glibc_known(enum glibc_known which)
{
    if (recalled)
        return recalled->vaddr[which] ? known_in(which)->bias + recalled->vaddr[which] : 0;
    return symbol_address(known_in(which), known_symbol(which));
}

u64 shim_finalizer(void)
{
    return glibc_known(KNOWN_FINALIZE);
}

u64 shim_debug_interface(void)
{
    return glibc_known(KNOWN_DEBUG);
}

/* A record's sum finds damage; addresses that lead out of the two objects it cannot promise away. */
static bool recalled_fits(void)
{
    for (u32 i = 0; i < KNOWN_COUNT; i++) {
        const struct object *object = known_in((enum glibc_known)i);
        if (recalled->vaddr[i] && recalled->vaddr[i] - (object->map_start - object->bias) >= object->map_end - object->map_start)
            return false;
    }
    return recalled->vaddr[KNOWN_GLOBAL] && recalled->vaddr[KNOWN_GLOBAL_RO];
}

void shim_recall(const void *facts, u32 len)
{
    const struct facts *from = facts;
    recalled = from && len == sizeof *from && from->row && from->row <= ARRAY_COUNT(rows) ? from : NULL;
}

const void *shim_facts(u32 *len)
{
    *len = 0;
    if (!glibc.row || glibc.row < rows || glibc.row >= rows + ARRAY_COUNT(rows))
        return NULL;                  /* a derived row is derived anew */
    told.row = (u64)(glibc.row - rows) + 1;
    for (u32 i = 0; i < KNOWN_COUNT; i++) {
        const Elf64_Sym *sym = known_symbol((enum glibc_known)i);
        if (sym && (ELF64_ST_TYPE(sym->st_info) == STT_GNU_IFUNC || sym->st_shndx == SHN_ABS))
            return NULL;
        told.vaddr[i] = sym ? sym->st_value : 0;
    }
    *len = sizeof told;
    return &told;
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

/* libthread_db's descriptors: { bits, count, offset }. */
static bool descriptor_agrees(const char *name, u32 offset, struct glibc_mismatch *why)
{
    const u32 *words = (const u32 *)glibc_symbol(session.libc, name, "GLIBC_PRIVATE");
    *why = (struct glibc_mismatch){ .field = name, .expected = offset, .found = words ? words[2] : 0 };
    return words && words[2] == offset;
}

int shim_recognise(void)
{
    session.libc = object_named("libc.so.6");
    session.linker = object_named("ld-linux-x86-64.so.2");
    if (!session.libc || !session.linker)
        return 0;
    session.libc->is_libc = true;
    if (recalled && !recalled_fits())
        recalled = NULL;
    if (recalled) {
        glibc.row = &rows[recalled->row - 1];
        glibc.global = (char *)glibc_known(KNOWN_GLOBAL);
        glibc.ro = (char *)glibc_known(KNOWN_GLOBAL_RO);
        return 0;
    }
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
        /* Build-ids can be forged, or left when a file is patched: what libc says of itself to libthread_db must agree. Two words, one of
         * each structure that moves most; tests compare all of them (glibc_row_check). */
        if (!descriptor_agrees("_thread_db_rtld_global__dl_stack_user", glibc.row->g_stack_user, &why) ||
            !descriptor_agrees("_thread_db_link_map_l_tls_offset", glibc.row->lm_tls_offset, &why))
            return refuse(ld_id, libc_id, &why);
    } else {
        /* No row for this pair: derive one from the binaries, and believe it only for another build of a known release. */
        const struct glibc_layout *nearest = NULL;
        if (glibc_row_derive(&images, rows, ARRAY_COUNT(rows), &derived, &nearest, &why) != 0 ||
            !str_equal(derived.version, nearest->version))
            return refuse(ld_id, libc_id, &why);
        glibc.row = &derived;
    }
    const Elf64_Sym *global = known_symbol(KNOWN_GLOBAL), *ro = known_symbol(KNOWN_GLOBAL_RO);
    if (!global || !ro || global->st_size != glibc.row->g_size || ro->st_size != glibc.row->ro_size || glibc.row->lm_size > LINK_MAP_ROOM) {
        why = (struct glibc_mismatch){ .field = "_rtld_global", .expected = glibc.row->g_size, .found = global ? (u32)global->st_size : 0 };
        return refuse(ld_id, libc_id, &why);
    }
    glibc.global = (char *)session.linker->bias + global->st_value;
    glibc.ro = (char *)session.linker->bias + ro->st_value;
    return 0;
}

/* ---- static data ----------------------------------------------------------------------------------------------------- */

static void set_linker_word(enum glibc_known which, u64 value, u32 width)
{
    u64 at = glibc_known(which);
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
    if (WATCHED(WATCH_CALLS)) {       /* libc's start code tells of the program's own constructors */
        GLIBC_AT(ro, row->ro_debug_mask, u32) = WATCH_CALLS;
        GLIBC_AT(ro, row->ro_debug_printf, u64) = (u64)events_debug_printf;
    }

    set_linker_word(KNOWN_ARGV, (u64)k->argv, 8);
    set_linker_word(KNOWN_STACK_END, (u64)k->stack, 8);
    set_linker_word(KNOWN_SECURE, session.config.secure, 4);
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

/* ---- after libc is there -------------------------------------------------------------------------------------------- */

int shim_early_init(void)
{
    if (!glibc.row)
        return 0;
    u64 early = glibc_known(KNOWN_EARLY_INIT);
    if (!early)
        return report_values(&session.report, LDR_E_LAYOUT, session.libc->path, 0, 0, 0);
    ((void (*)(bool))early)(true);
    glibc.mutex_lock = (int (*)(void *))glibc_known(KNOWN_LOCK);
    glibc.mutex_unlock = (int (*)(void *))glibc_known(KNOWN_UNLOCK);
    glibc.errno_location = (int *(*)(void))glibc_known(KNOWN_ERRNO);
    glibc.mutex_trylock = (int (*)(void *))glibc_known(KNOWN_TRYLOCK);
    glibc.ready = glibc.mutex_lock && glibc.mutex_unlock && glibc.mutex_trylock;
    if (glibc.ready)
        glibc_register_fork();
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

/* Leaf 1, EBX bits 31 to 24: the initial APIC id. Under hypervisors that let cpuid through it is the physical processor's, and changes
 * while this process stays on one of its own. It says nothing that holds a moment later. */
void shim_forget_processor(void)
{
    const struct glibc_layout *row = glibc.row;
    if (row)
        GLIBC_AT(glibc.ro, row->ro_cpu_features + row->cf_index_1 + 4, u32) &= 0x00ffffffu;
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
