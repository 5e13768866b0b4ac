/* gate.c - the second mapping of the gate page (arch/x86_64/gate.S) at the place the cache chose, and its private table.
 *
 *   place           code: ld-ldr.so's own page, r-x, shared with every process that has it
 *   place + 4096    table: 8 bytes an entry, written once, then read-only
 *
 * Entry numbers are part of what shared images hold. They follow from the loader's build and the kernel alone: fixed numbers for our
 * functions, behind them one for each symbol of the vDSO by its number there. */
#include "run.h"
#include "../arch/gate.h"
#include "../compat/shim.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

extern const char ldr_gate[];
u64 ldr_tlsdesc_static(void *), ldr_tlsdesc_undefined_weak(void *);

enum { ENTRY_BIND, ENTRY_TLSDESC_STATIC, ENTRY_TLSDESC_WEAK, ENTRY_SHIM, ENTRY_VDSO = 32 };

static u64 function_of(u32 entry)
{
    switch (entry) {
    case ENTRY_BIND: return bind_trampoline();
    case ENTRY_TLSDESC_STATIC: return (u64)ldr_tlsdesc_static;
    case ENTRY_TLSDESC_WEAK: return (u64)ldr_tlsdesc_undefined_weak;
    default: return entry < ENTRY_VDSO ? shim_gate_function(entry - ENTRY_SHIM) : 0;
    }
}

/* Symbol `entry - ENTRY_VDSO` of the vDSO when it is a function. */
static u64 vdso_function(u32 entry)
{
    if (!session.vdso || entry < ENTRY_VDSO)
        return 0;
    const struct image *image = &session.vdso->image;
    u32 symbol = entry - ENTRY_VDSO + 1;
    if (symbol >= image_symbol_count(image) || ELF64_ST_TYPE(image->symtab[symbol].st_info) != STT_FUNC)
        return 0;
    return session.vdso->bias + image->symtab[symbol].st_value;
}

static u64 entry_address(u32 entry)
{
    return session.gate + (u64)entry * GATE_ENTRY_LEN;
}

bool gate_open(u64 place)
{
    char *both = sys_mmap((void *)place, 2 * LDR_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (sys_failed(both))
        return false;
    /* Over the first page a second mapping of that page of our file, without opening the file: Linux 5.13 and later. */
    if (both != (char *)place ||
        sys_call(__NR_mremap, (long)ldr_gate, LDR_PAGE, LDR_PAGE, 1 | 2 | MREMAP_DONTUNMAP, (long)place, 0) != (long)place) {
        sys_munmap(both, 2 * LDR_PAGE);
        return false;
    }
    session.gate = place;
    return true;
}

void gate_close(void)
{
    if (session.gate)
        sys_munmap((void *)session.gate, 2 * LDR_PAGE);
    session.gate = 0;
}

void gate_fill(void)
{
    if (!session.gate)
        return;
    u64 *table = (u64 *)(session.gate + LDR_PAGE);
    for (u32 i = 0; i < ENTRY_VDSO; i++)
        table[i] = function_of(i);
    u64 symbols = session.vdso ? image_symbol_count(&session.vdso->image) : 0;
    for (u32 i = ENTRY_VDSO; i < GATE_ENTRIES && i - ENTRY_VDSO + 1 < symbols; i++)
        table[i] = vdso_function(i);
    sys_mprotect(table, LDR_PAGE, PROT_READ);
}

u64 gate_behind(u64 address)
{
    u64 entry = (address - session.gate) / GATE_ENTRY_LEN;
    return session.gate && address >= session.gate && entry < GATE_ENTRIES ? ((const u64 *)(session.gate + LDR_PAGE))[entry] : address;
}

u64 gate_for(u64 address)
{
    if (!session.gate)
        return address;
    if (address >= session.self.start && address < session.self.end) {
        for (u32 i = 0; i < ENTRY_VDSO; i++)
            if (function_of(i) == address)
                return entry_address(i);
    } else if (session.vdso && address >= session.vdso->map_start && address < session.vdso->map_end) {
        for (u32 i = ENTRY_VDSO; i < GATE_ENTRIES; i++)
            if (vdso_function(i) == address)
                return entry_address(i);
    }
    return address;
}
