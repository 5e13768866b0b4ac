/* live.c - a running process looks at glibc's private state through the row of its own builds and compares it with what
 * public interfaces say. Under the system's linker it proves the row's meaning; under ours it proves that everything
 * libc reads was filled. Same program, same expected answers (LDSO=path tests/layout/live.sh).
 *
 * Exit 0 all agree, 1 some differ, 77 no row for this glibc.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "../../ldr/compat/glibc/layout.h"

static const struct glibc_layout rows[] = {
#include "../../ldr/compat/glibc/layout/rows.h"
};

static const struct glibc_layout *row;
static char *g, *ro, *tp;
static unsigned good, bad;
static __thread int own_tls = 1; /* gives the program a TLS module */

#define AT(base, offset, type) (*(type *)((char *)(base) + (offset)))

static void expect(bool is_good, const char *form, ...)
{
    va_list args;
    if (is_good) {
        good++;
        return;
    }
    bad++;
    va_start(args, form);
    printf("FAIL ");
    vprintf(form, args);
    putchar('\n');
    va_end(args);
}

#define SAME(member, found, expected)                                                                                   \
    expect((unsigned long)(found) == (unsigned long)(expected), "%s: %#lx found, %#lx expected", #member,              \
           (unsigned long)(found), (unsigned long)(expected))

/* ---- choosing the row ---- */

struct ids {
    uint8_t ld[20], libc[20];
};

static int read_id(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct ids *ids = arg;
    uint8_t *id = strstr(info->dlpi_name, "ld-linux-x86-64") ? ids->ld : strstr(info->dlpi_name, "libc.so.6") ? ids->libc : NULL;
    (void)size;
    for (int i = 0; id && i < info->dlpi_phnum; i++) {
        const char *note = (const char *)info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        const char *end = note + info->dlpi_phdr[i].p_memsz;
        if (info->dlpi_phdr[i].p_type != PT_NOTE)
            continue;
        while (note + sizeof(ElfW(Nhdr)) < end) {
            const ElfW(Nhdr) *header = (const void *)note;
            size_t align = info->dlpi_phdr[i].p_align == 8 ? 8 : 4;
            size_t desc = (sizeof *header + header->n_namesz + align - 1) & -align;
            if (header->n_type == NT_GNU_BUILD_ID && header->n_descsz == 20)
                memcpy(id, note + desc, 20);
            note += (desc + header->n_descsz + align - 1) & -align;
        }
    }
    return 0;
}

static const struct glibc_layout *choose_row(void)
{
    struct ids ids = { { 0 }, { 0 } };
    dl_iterate_phdr(read_id, &ids);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (memcmp(rows[i].ld_build_id, ids.ld, 20) == 0 && memcmp(rows[i].libc_build_id, ids.libc, 20) == 0)
            return &rows[i];
    return NULL;
}

/* ---- _rtld_global_ro ---- */

static bool in_vdso(void *at)
{
    uintptr_t vdso = getauxval(AT_SYSINFO_EHDR);
    return at == NULL || ((uintptr_t)at >= vdso && (uintptr_t)at < vdso + 4 * 4096);
}

static void read_only_part(void)
{
    void (*static_info)(size_t *, size_t *) =
        (void (*)(size_t *, size_t *))dlvsym(RTLD_DEFAULT, "_dl_get_tls_static_info", "GLIBC_PRIVATE");
    size_t tls_size = 0, tls_align = 0;
    const ElfW(auxv_t) *auxv = AT(ro, row->ro_auxv, ElfW(auxv_t) *);
    SAME(ro_debug_mask, AT(ro, row->ro_debug_mask, int), 0);
    SAME(ro_pagesize, AT(ro, row->ro_pagesize, size_t), getauxval(AT_PAGESZ));
    SAME(ro_minsigstacksize, AT(ro, row->ro_minsigstacksize, size_t),
         getauxval(AT_MINSIGSTKSZ) ? getauxval(AT_MINSIGSTKSZ) : 2048);
    SAME(ro_clktck, AT(ro, row->ro_clktck, int), getauxval(AT_CLKTCK));
    SAME(ro_fpu_control, AT(ro, row->ro_fpu_control, uint16_t), 0x37f);
    expect((AT(ro, row->ro_hwcap, uint64_t) & ~4ul) == 2, "ro_hwcap: %lx", (long)AT(ro, row->ro_hwcap, uint64_t));
    SAME(ro_hwcap2, AT(ro, row->ro_hwcap2, uint64_t), getauxval(AT_HWCAP2));
    while (auxv && auxv->a_type != AT_NULL && auxv->a_type != AT_PAGESZ)
        auxv++;
    expect(auxv && auxv->a_type == AT_PAGESZ, "ro_auxv: no AT_PAGESZ there");
    static_info(&tls_size, &tls_align);
    SAME(ro_tls_static_size, AT(ro, row->ro_tls_static_size, size_t), tls_size);
    SAME(ro_tls_static_align, AT(ro, row->ro_tls_static_align, size_t), tls_align);
    expect(tls_size > row->pd_size && tls_align >= 64, "static TLS: %zu bytes, alignment %zu", tls_size, tls_align);
    expect(AT(ro, row->ro_init_all_dirs, void *) != NULL, "ro_init_all_dirs is NULL");
    SAME(g_all_dirs, AT(g, row->g_all_dirs, void *), AT(ro, row->ro_init_all_dirs, void *));
    SAME(ro_sysinfo_dso, AT(ro, row->ro_sysinfo_dso, void *), getauxval(AT_SYSINFO_EHDR));
    expect(in_vdso(AT(ro, row->ro_vdso_clock_gettime64, void *)), "ro_vdso_clock_gettime64 is not in the vDSO");
    expect(in_vdso(AT(ro, row->ro_vdso_gettimeofday, void *)), "ro_vdso_gettimeofday is not in the vDSO");
    expect(in_vdso(AT(ro, row->ro_vdso_time, void *)), "ro_vdso_time is not in the vDSO");
    expect(in_vdso(AT(ro, row->ro_vdso_getcpu, void *)), "ro_vdso_getcpu is not in the vDSO");
    expect(in_vdso(AT(ro, row->ro_vdso_clock_getres_time64, void *)), "ro_vdso_clock_getres_time64 is not in the vDSO");
    expect(!getauxval(AT_SYSINFO_EHDR) || AT(ro, row->ro_vdso_clock_gettime64, void *), "the vDSO's clock is not used");
    for (uint32_t at = row->ro_debug_printf; at <= row->ro_tls_get_addr_soft; at += 8)
        expect(AT(ro, at, void *) != NULL, "function table of _rtld_global_ro: NULL at %u", at);
    if (glibc_has(row->ro_find_object))
        expect(AT(ro, row->ro_find_object, void *) != NULL, "ro_find_object is NULL");
    SAME(ro_naudit, AT(ro, row->ro_naudit, unsigned), 0);
    SAME(ro_audit, AT(ro, row->ro_audit, void *), 0);
}

static void cpu_part(void)
{
    const struct { uint32_t cpuid[4], active[4]; } *leaf;
    void *(*get_leaf)(unsigned) = (void *(*)(unsigned))dlvsym(RTLD_DEFAULT, "__x86_get_cpuid_feature_leaf", "GLIBC_2.33");
    char *features = ro + row->ro_cpu_features;
    uint32_t eax = 1, ebx, ecx = 0, edx;
    SAME(cf_index_1, get_leaf(0), features + row->cf_index_1);
    SAME(cf_index_d_ecx_1, get_leaf(3), features + row->cf_index_d_ecx_1);
    SAME(cf_active, row->cf_active, 16);
    __asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    leaf = (void *)(features + row->cf_index_1);
    SAME(cf_index_1.edx, leaf->cpuid[3], edx);
    SAME(cf_data_cache_size, AT(features, row->cf_data_cache_size, unsigned long) != 0, 1);
    SAME(cf_non_temporal_threshold, AT(features, row->cf_non_temporal_threshold, unsigned long) >= 0x4040, 1);
    SAME(cf_rep_movsb_threshold, AT(features, row->cf_rep_movsb_threshold, unsigned long) != 0, 1);
    if (leaf->cpuid[2] >> 27 & 1) /* OSXSAVE */
        expect(AT(features, row->cf_xsave_state_size, unsigned long) >= 512 + 64 &&
                   AT(features, row->cf_xsave_state_size, unsigned long) % 64 == 0,
               "cf_xsave_state_size: %lu", AT(features, row->cf_xsave_state_size, unsigned long));
}

/* ---- _rtld_global and the maps ---- */

static unsigned bits(const void *map, uint32_t byte, uint32_t bit, unsigned width)
{
    return (unsigned)(AT(map, byte, uint8_t) >> bit) & ((1u << width) - 1);
}

/* One object, seen by dl_iterate_phdr and through its map. */
static int compare_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct link_map **next = arg, *map = *next;
    const char *name = map && map->l_name[0] ? map->l_name : "the program";
    (void)size;
    if (!map) {
        expect(false, "the chain ends before %s", info->dlpi_name);
        return 1;
    }
    SAME(lm_addr, AT(map, row->lm_addr, uintptr_t), info->dlpi_addr);
    SAME(lm_name, AT(map, row->lm_name, char *), info->dlpi_name);
    SAME(lm_real, AT(map, row->lm_real, void *), map);
    SAME(lm_ns, AT(map, row->lm_ns, long), 0);
    SAME(lm_phdr, AT(map, row->lm_phdr, void *), info->dlpi_phdr);
    SAME(lm_phnum, AT(map, row->lm_phnum, uint16_t), info->dlpi_phnum);
    SAME(lm_tls_modid, AT(map, row->lm_tls_modid, size_t), info->dlpi_tls_modid);
    if (strstr(map->l_name, "libc.so.6")) /* objects the kernel mapped may have it clear */
        SAME(lm_contiguous, bits(map, row->lm_contiguous_byte, row->lm_contiguous_bit, 1), 1);
    SAME(lm_prev, map->l_prev ? map->l_prev->l_next : map, map);
    expect(AT(map, row->lm_libname, void *) != NULL, "%s: lm_libname is NULL", name);
    for (int i = 0; i < info->dlpi_phnum; i++) {
        uintptr_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        if (info->dlpi_phdr[i].p_type == PT_LOAD)
            expect(start >= AT(map, row->lm_map_start, uintptr_t) &&
                       start + info->dlpi_phdr[i].p_memsz <= AT(map, row->lm_map_end, uintptr_t),
                   "%s: segment %d lies outside map_start..map_end", name, i);
        if (info->dlpi_phdr[i].p_type == PT_TLS && info->dlpi_tls_data)
            SAME(lm_tls_offset, tp - (char *)info->dlpi_tls_data, AT(map, row->lm_tls_offset, long));
    }
    for (const ElfW(Dyn) *dyn = map->l_ld; dyn && dyn->d_tag != DT_NULL; dyn++) {
        uint32_t index = glibc_info_index(row, dyn->d_tag);
        if (dyn->d_tag == DT_STRTAB || dyn->d_tag == DT_SYMTAB || dyn->d_tag == DT_GNU_HASH || dyn->d_tag == DT_VERSYM)
            expect(index != GLIBC_ABSENT && AT(map, row->lm_info + 8 * index, const void *) == dyn,
                   "%s: l_info[%d] of tag %#lx is %p, not %p", name, (int)index, (long)dyn->d_tag,
                   AT(map, row->lm_info + 8 * index, void *), (const void *)dyn);
    }
    *next = map->l_next;
    return 0;
}

static int count_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    unsigned long *sums = arg;
    (void)size;
    sums[0]++;
    sums[1] = info->dlpi_adds;
    return 0;
}

static void writable_part(void)
{
    struct link_map *head = AT(g, row->g_ns_loaded, struct link_map *), *next = head;
    unsigned long sums[2] = { 0, 0 };
    Dl_info info = { 0 };
    dl_iterate_phdr(count_object, sums);
    SAME(g_nns, AT(g, row->g_nns, size_t), 1);
    SAME(g_ns_loaded, head, _r_debug.r_map);
    SAME(g_ns_nloaded, AT(g, row->g_ns_nloaded, unsigned), sums[0]);
    SAME(g_load_adds, AT(g, row->g_load_adds, uint64_t), sums[1]);
    expect(sums[1] >= sums[0], "g_load_adds %lu is less than the %lu objects there are", sums[1], sums[0]);
    SAME(g_load_lock.kind, AT(g, row->g_load_lock + 16, int), PTHREAD_MUTEX_RECURSIVE);
    SAME(g_load_write_lock.kind, AT(g, row->g_load_write_lock + 16, int), PTHREAD_MUTEX_RECURSIVE);
    if (glibc_has(row->g_load_tls_lock))
        SAME(g_load_tls_lock.kind, AT(g, row->g_load_tls_lock + 16, int), PTHREAD_MUTEX_RECURSIVE);
    if (glibc_has(row->g_stack_flags))
        SAME(g_stack_flags, AT(g, row->g_stack_flags, unsigned), PF_R | PF_W);
    if (glibc_has(row->g_stack_prot_flags))
        SAME(g_stack_prot_flags, AT(g, row->g_stack_prot_flags, unsigned), PF_R | PF_W);
    SAME(lm_name, head->l_name[0], 0);
    SAME(lm_type, bits(head, row->lm_type_byte, row->lm_type_bit, 2), 0);
    SAME(lm_type, bits(head->l_next, row->lm_type_byte, row->lm_type_bit, 2), 1);
    dl_iterate_phdr(compare_object, &next);
    SAME(lm_next, next, 0);
    expect(dladdr((void *)(uintptr_t)printf, &info) && info.dli_saddr == (void *)(uintptr_t)printf &&
               strstr(info.dli_fname, "libc.so.6"),
           "dladdr does not know printf");
}

/* ---- threads ---- */

struct list {
    struct list *next, *prev;
};

static bool on_list(uint32_t head_at, const void *node)
{
    struct list *head = (void *)(g + head_at);
    unsigned steps = 0;
    for (struct list *at = head->next; at && at != head && steps < 1000; at = at->next, steps++)
        if (at == node)
            return true;
    return false;
}

static void *second_thread(void *arg)
{
    char *self = (char *)pthread_self();
    (void)arg;
    SAME(pd_tid, AT(self, row->pd_tid, int), gettid());
    expect(on_list(row->g_stack_used, self + row->pd_list), "a second thread is not on g_stack_used");
    SAME(pd_stack_guard, AT(self, row->pd_stack_guard, uintptr_t), AT(tp, row->pd_stack_guard, uintptr_t));
    SAME(pd_pointer_guard, AT(self, row->pd_pointer_guard, uintptr_t), AT(tp, row->pd_pointer_guard, uintptr_t));
    expect(own_tls == 1, "TLS of a second thread is %d, not its initial value", own_tls);
    return NULL;
}

static void slotinfo_part(void)
{
    char *list = AT(g, row->g_tls_dtv_slotinfo_list, char *);
    for (struct link_map *map = AT(g, row->g_ns_loaded, struct link_map *); map; map = map->l_next) {
        size_t modid = AT(map, row->lm_tls_modid, size_t);
        if (modid == 0)
            continue;
        expect(list && modid < AT(list, row->sl_len, size_t), "slotinfo list has no slot for module %zu", modid);
        if (list && modid < AT(list, row->sl_len, size_t))
            SAME(sl_map, AT(list + row->sl_slotinfo + modid * row->sl_slotinfo_stride, row->sl_map, void *), map);
    }
}

static void thread_part(void)
{
    pthread_attr_t attr;
    pthread_t thread;
    void *stack;
    size_t stack_len;
    SAME(pd_tcb, AT(tp, row->pd_tcb, void *), tp);
    SAME(pd_self, AT(tp, row->pd_self, void *), tp);
    SAME(pd_tid, AT(tp, row->pd_tid, int), gettid());
    expect((AT(tp, row->pd_stack_guard, uintptr_t) & 0xff) == 0, "pd_stack_guard: low byte is not 0");
    expect(on_list(row->g_stack_user, tp + row->pd_list), "the main thread is not on g_stack_user");
    SAME(pd_robust_prev, AT(tp, row->pd_robust_prev, void *), tp + row->pd_robust_head);
    SAME(pd_robust_head, AT(tp, row->pd_robust_head, void *), tp + row->pd_robust_head);
    SAME(pd_robust_head_futex_offset, AT(tp, row->pd_robust_head_futex_offset, long), -32);
    SAME(pd_specific, AT(tp, row->pd_specific, void *), tp + row->pd_specific_1stblock);
    if (glibc_has(row->pd_user_stack))
        SAME(pd_user_stack, AT(tp, row->pd_user_stack, uint8_t), 1);
    if (glibc_has(row->pd_rseq_area))
        expect(AT(tp, row->pd_rseq_area + 4, int) >= 0 || AT(tp, row->pd_rseq_area + 4, int) == -2,
               "pd_rseq_area: cpu_id %d", AT(tp, row->pd_rseq_area + 4, int));
    expect(pthread_getattr_np(pthread_self(), &attr) == 0 && pthread_attr_getstack(&attr, &stack, &stack_len) == 0 &&
               (char *)&attr > (char *)stack && (char *)&attr < (char *)stack + stack_len,
           "pthread_getattr_np: the main stack does not contain this frame");
    slotinfo_part();
    if (pthread_create(&thread, NULL, second_thread, NULL) == 0)
        pthread_join(thread, NULL);
    else
        expect(false, "no second thread");
}

int main(void)
{
    row = choose_row();
    if (!row) {
        puts("skip: no row of this glibc's builds");
        return 77;
    }
    g = dlvsym(RTLD_DEFAULT, "_rtld_global", "GLIBC_PRIVATE");
    ro = dlvsym(RTLD_DEFAULT, "_rtld_global_ro", "GLIBC_PRIVATE");
    tp = (char *)pthread_self();
    expect(g && ro, "_rtld_global or _rtld_global_ro cannot be found");
    if (g && ro) {
        read_only_part();
        cpu_part();
        writable_part();
        thread_part();
    }
    printf("live %s: %u good, %u bad\n", row->version, good, bad);
    return bad != 0;
}
