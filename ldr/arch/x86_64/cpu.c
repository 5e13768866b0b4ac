/* cpu.c - the micro-architecture level of this CPU (x86-64 psABI 3.1.1), for glibc-hwcaps directories.
 *
 * Asked only when such a directory or cache entry exists: in a virtual machine each cpuid traps to the hypervisor (8 us here). */
#include <cpuid.h>

#include "../arch.h"

static u64 xcr0(void)
{
    u32 lo, hi;
    __asm__("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return lo | (u64)hi << 32;
}

static bool has(u32 word, u32 bits)
{
    return (word & bits) == bits;
}

u32 arch_cpu_level(void)
{
    u32 a, b, c1, d, b7 = 0, c7, d7, ext = 0, a80, b80, d80;
    if (!__get_cpuid(1, &a, &b, &c1, &d) || !__get_cpuid(0x80000001, &a80, &b80, &ext, &d80))
        return 1;
    if (!has(c1, bit_CMPXCHG16B | bit_SSE3 | bit_SSSE3 | bit_SSE4_1 | bit_SSE4_2 | bit_POPCNT) || !has(ext, bit_LAHF_LM))
        return 1;
    if (!has(c1, bit_OSXSAVE | bit_AVX | bit_F16C | bit_FMA | bit_MOVBE) || !has(ext, bit_LZCNT) || !__get_cpuid_count(7, 0, &a, &b7, &c7, &d7))
        return 2;
    u64 enabled = xcr0();
    if ((enabled & 6) != 6 || !has(b7, bit_AVX2 | bit_BMI | bit_BMI2))
        return 2;
    if ((enabled & 0xe6) != 0xe6 || !has(b7, bit_AVX512F | bit_AVX512BW | bit_AVX512CD | bit_AVX512DQ | bit_AVX512VL))
        return 3;
    return 4;
}
