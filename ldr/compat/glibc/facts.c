/* facts.c - what ld.so and libc.so.6 say about their own private layout without debug info. See derive.h.
 *
 * Evidence, strongest first:
 *  - st_size of _rtld_global and _rtld_global_ro;
 *  - libthread_db's descriptors in libc.so.6: 12-byte records {bits, count, offset} and 4-byte sizes;
 *  - ld.so's RELATIVE/RELR slots inside _rtld_global_ro: the last run of nine is the function table;
 *  - ld.so's static data: _dl_nns is 1 and the recursive locks behind it have kind 1; tunables carry their names;
 *  - functions so small that their code is one offset (decode.c).
 * Verified against DWARF on Debian's 2.36 builds here, and by the same rules on 2.41 and 2.43 elsewhere.
 */
#include "walk.h"

#include <elf.h>

static void miss(struct walk *walk, const char *name)
{
    if (walk->result != 0)
        return;
    *walk->why = (struct glibc_mismatch){ name, "", 0, 0 };
    walk->result = -GLIBC_E_NO_SYMBOL;
}

/* ---- descriptors of libthread_db ---- */

struct descriptor {
    char symbol[52]; /* in place, not a pointer: a table of pointers would be relocated, private memory of every process */
    uint16_t word;
    uint8_t is_size; /* 4 bytes, a size; else 12 bytes, the offset is the third word */
};

#define OFFSET_OF(symbol, member) { "_thread_db_" symbol, GLIBC_WORD(member), 0 }
#define SIZE_OF(symbol, member) { "_thread_db_sizeof_" symbol, GLIBC_WORD(member), 1 }

/* Every libc.so.6 since 2.34 exports these; without them nothing can be confirmed. */
static const struct descriptor quick[] = {
    SIZE_OF("pthread", pd_size),
    OFFSET_OF("rtld_global__dl_stack_used", g_stack_used),
    OFFSET_OF("rtld_global__dl_stack_user", g_stack_user),
    OFFSET_OF("rtld_global__dl_tls_dtv_slotinfo_list", g_tls_dtv_slotinfo_list),
    OFFSET_OF("link_map_l_tls_modid", lm_tls_modid),
    OFFSET_OF("link_map_l_tls_offset", lm_tls_offset),
};

static const struct descriptor more[] = {
    OFFSET_OF("pthread_list", pd_list),
    OFFSET_OF("pthread_tid", pd_tid),
    OFFSET_OF("pthread_dtvp", pd_dtv),
    OFFSET_OF("pthread_specific", pd_specific),
    OFFSET_OF("pthread_report_events", pd_report_events),
    OFFSET_OF("pthread_cancelhandling", pd_cancelhandling),
    OFFSET_OF("pthread_eventbuf", pd_eventbuf),
    OFFSET_OF("pthread_nextevent", pd_nextevent),
    OFFSET_OF("pthread_schedparam_sched_priority", pd_schedparam),
    OFFSET_OF("pthread_schedpolicy", pd_schedpolicy),
    OFFSET_OF("pthread_start_routine", pd_start_routine),
    SIZE_OF("dtv_slotinfo", sl_slotinfo_stride),
    OFFSET_OF("dtv_slotinfo_list_len", sl_len),
    OFFSET_OF("dtv_slotinfo_list_next", sl_next),
    OFFSET_OF("dtv_slotinfo_list_slotinfo", sl_slotinfo),
    OFFSET_OF("dtv_slotinfo_gen", sl_gen),
    OFFSET_OF("dtv_slotinfo_map", sl_map),
};

static void descriptors(struct walk *walk, const struct descriptor *table, unsigned count, int must)
{
    for (unsigned i = 0; i < count; i++) {
        const struct descriptor *d = &table[i];
        uint64_t vaddr, size;
        const uint8_t *record = NULL;
        if (walk_find(walk, GLIBC_LIBC, d->symbol, &vaddr, &size))
            record = glibc_bytes_at(&walk->images->object[GLIBC_LIBC], vaddr, d->is_size ? 4 : 12);
        if (record)
            glibc_state(walk, d->word, u32_of(record + (d->is_size ? 0 : 8)), d->symbol);
        else if (must)
            miss(walk, d->symbol);
    }
}

/* ---- ld.so: relocation slots ---- */

/* Marks the 8-byte words of _rtld_global_ro that a relative relocation fills. 4096 bytes at most: 512 bits. */
struct slots {
    uint64_t bits[8];
    unsigned count; /* words in the structure */
};

static void mark_slot(struct walk *walk, struct slots *slots, uint64_t vaddr)
{
    uint64_t word = (vaddr - walk->ro) / 8;
    if (vaddr >= walk->ro && (vaddr - walk->ro) % 8 == 0 && word < slots->count)
        slots->bits[word / 64] |= (uint64_t)1 << word % 64;
}

static int has_slot(const struct slots *slots, unsigned word)
{
    return word < slots->count && (slots->bits[word / 64] >> word % 64 & 1);
}

/* gABI "Relative Relocation Table": an even entry is an address, an odd one a bitmap of the 63 words after it. */
static void mark_relr(struct walk *walk, struct slots *slots)
{
    const struct glibc_image *image = &walk->images->object[GLIBC_LD];
    uint64_t at, len, place = 0;
    if (!glibc_dynamic_value(image, DT_RELR, &at) || !glibc_dynamic_value(image, DT_RELRSZ, &len))
        return;
    at = glibc_vaddr_of(image, at);
    for (; len >= 8; len -= 8, at += 8) {
        const uint8_t *entry = glibc_bytes_at(image, at, 8);
        uint64_t bits;
        if (!entry)
            return;
        bits = u64_of(entry);
        if ((bits & 1) == 0) {
            mark_slot(walk, slots, bits);
            place = bits + 8;
            continue;
        }
        for (unsigned i = 0; i < 63; i++)
            if (bits >> (i + 1) & 1)
                mark_slot(walk, slots, place + 8 * i);
        place += 63 * 8;
    }
}

static void mark_rela(struct walk *walk, struct slots *slots)
{
    const struct glibc_image *image = &walk->images->object[GLIBC_LD];
    uint64_t at, len;
    if (!glibc_dynamic_value(image, DT_RELA, &at) || !glibc_dynamic_value(image, DT_RELASZ, &len))
        return;
    at = glibc_vaddr_of(image, at);
    for (; len >= sizeof(Elf64_Rela); len -= sizeof(Elf64_Rela), at += sizeof(Elf64_Rela)) {
        const uint8_t *entry = glibc_bytes_at(image, at, sizeof(Elf64_Rela));
        if (!entry)
            return;
        if ((uint32_t)u64_of(entry + 8) == R_X86_64_RELATIVE)
            mark_slot(walk, slots, u64_of(entry));
    }
}

/* The last run of consecutive slots is the function table; a shorter run is some other pointer. The words behind it up
 * to the hook are find_object and, when there are two, readonly_area: both are filled at run time only. */
static void function_table(struct walk *walk)
{
    static const char source[] = "relative relocations in _rtld_global_ro";
    static const uint16_t table[9] = {
        GLIBC_WORD(ro_debug_printf), GLIBC_WORD(ro_mcount), GLIBC_WORD(ro_lookup_symbol_x),
        GLIBC_WORD(ro_open), GLIBC_WORD(ro_close), GLIBC_WORD(ro_catch_error),
        GLIBC_WORD(ro_error_free), GLIBC_WORD(ro_tls_get_addr_soft), GLIBC_WORD(ro_libc_freeres),
    };
    struct slots slots = { { 0 }, 0 };
    unsigned end, start, gap;
    if (walk->ro_size > 4096 || walk->ro_size < 64)
        return;
    slots.count = (unsigned)(walk->ro_size / 8);
    mark_relr(walk, &slots);
    mark_rela(walk, &slots);
    for (end = slots.count; end && !has_slot(&slots, end - 1); end--)
        ;
    for (start = end; start && has_slot(&slots, start - 1); start--)
        ;
    if (end - start != 9)
        return;
    for (unsigned i = 0; i < 9; i++)
        glibc_state(walk, table[i], 8 * (start + i), source);
    STATE(walk, ro_dlfcn_hook, walk->ro_size - 24, "st_size of _rtld_global_ro");
    STATE(walk, ro_audit, walk->ro_size - 16, "st_size of _rtld_global_ro");
    STATE(walk, ro_naudit, walk->ro_size - 8, "st_size of _rtld_global_ro");
    gap = (unsigned)(walk->ro_size / 8 - 3) - end;
    if (gap == 1 || gap == 2) {
        STATE(walk, ro_find_object, 8 * end, source);
        STATE(walk, ro_readonly_area, gap == 2 ? 8 * end + 8 : GLIBC_ABSENT, source);
    }
}

/* ---- ld.so: static data ---- */

/* _dl_nns is 1 and follows the array of 16 namespaces; behind it come the recursive locks, 40 bytes each, with kind 1
 * at 16. Only one offset fits that. Gives nothing once the loader has written there. */
static void namespaces(struct walk *walk)
{
    static const char source[] = "static data of _rtld_global";
    const uint8_t *data = glibc_bytes_at(&walk->images->object[GLIBC_LD], walk->g, walk->g_size);
    uint64_t stride, found = 0;
    if (!data)
        return;
    for (stride = 64; stride <= 1024 && 16 * stride + 8 + 3 * 40 <= walk->g_size; stride += 8) {
        const uint8_t *nns = data + 16 * stride;
        if (u64_of(nns) == 1 && u32_of(nns + 8 + 16) == 1 && u32_of(nns + 48 + 16) == 1 && u32_of(nns + 88 + 16) == 1) {
            if (found)
                return; /* two places fit: no evidence */
            found = stride;
        }
    }
    if (!found)
        return;
    STATE(walk, g_ns_stride, found, source);
    STATE(walk, g_ns_count, 16, source);
    STATE(walk, g_nns, 16 * found, source);
    STATE(walk, g_load_lock, 16 * found + 8, source);
    STATE(walk, g_load_write_lock, 16 * found + 48, source);
    STATE(walk, g_load_tls_lock, 16 * found + 88, source);
    STATE(walk, g_lock_size, 40, source);
}

/* Tunables carry their names inline, each starting "glibc.": the first two give the stride, the run its length. The
 * one called glibc.rtld.nns has the bounds 1 and 16. */
static void tunables(struct walk *walk)
{
    static const char source[] = "names in ld.so's tunable list";
    const struct glibc_image *image = &walk->images->object[GLIBC_LD];
    uint64_t list = 0, stride = 0, count = 0;
    for (unsigned i = 0; i < image->span_count; i++) {
        const struct glibc_span *span = &image->spans[i];
        if (walk->ro < span->vaddr || walk->ro - span->vaddr >= span->len)
            continue; /* the list is RELRO data, as _rtld_global_ro is */
        for (uint64_t off = -span->vaddr & 7; off + 6 <= span->len; off += 8) {
            uint64_t vaddr = span->vaddr + off;
            if (!text_is(span->base + off, "glibc."))
                continue;
            if (count == 0)
                list = vaddr;
            else if (count == 1)
                stride = vaddr - list;
            else if (vaddr != list + count * stride)
                break;
            count++;
        }
    }
    if (count < 8 || stride > 512)
        return;
    STATE(walk, tun_list, list, source);
    STATE(walk, tun_stride, stride, source);
    STATE(walk, tun_count, count, source);
    STATE(walk, tun_name, 0, source);
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *entry = glibc_bytes_at(image, list + i * stride, stride);
        if (!entry || !text_is(entry, "glibc.rtld.nns"))
            continue;
        for (uint64_t at = 16; at + 16 <= stride; at += 8)
            if (u64_of(entry + at) == 1 && u64_of(entry + at + 8) == 16) {
                STATE(walk, tun_min, at, source);
                STATE(walk, tun_max, at + 8, source);
                return;
            }
    }
}

int glibc_facts(const struct glibc_images *images, enum glibc_depth depth, glibc_fact_fn visit, void *ctx,
                struct glibc_mismatch *why)
{
    struct walk walk = { images, visit, ctx, why, 0, 0, 0, 0, 0 };
    if (!walk_find(&walk, GLIBC_LD, "_rtld_global", &walk.g, &walk.g_size))
        miss(&walk, "_rtld_global");
    else
        STATE(&walk, g_size, walk.g_size, "st_size of _rtld_global");
    if (!walk_find(&walk, GLIBC_LD, "_rtld_global_ro", &walk.ro, &walk.ro_size))
        miss(&walk, "_rtld_global_ro");
    else
        STATE(&walk, ro_size, walk.ro_size, "st_size of _rtld_global_ro");
    descriptors(&walk, quick, sizeof quick / sizeof quick[0], 1);
    if (walk.result || depth < GLIBC_DATA)
        return walk.result;
    descriptors(&walk, more, sizeof more / sizeof more[0], 0);
    function_table(&walk);
    namespaces(&walk);
    tunables(&walk);
    if (walk.result || depth < GLIBC_CODE)
        return walk.result;
    glibc_code_facts(&walk);
    return walk.result;
}
