/* code.c - what the first instructions of a function say (Intel SDM volume 2: CMP, ENDBR64, MOV). */
#include "../arch.h"

/* The start files of gcc and clang have it in one form (the test in 1,716 of the 1,717 libraries and programs with destructors of a Debian 12
 * desktop):
 *     f3 0f 1e fa                endbr64, where the compiler guards indirect calls
 *     80 3d <displacement> 00    cmpb $0, displacement(%rip)     counted from the next instruction
 *     75 ..                      jne, to the end: it was done
 *     ...
 *     c6 05 <displacement> 01    movb $1, displacement(%rip)     the same byte
 * A function that only asks may ask for what it has made read-only meanwhile. */
static u64 byte_meant(const u8 *code, u64 address, u32 at)
{
    int displacement;
    memcpy(&displacement, code + at + 2, sizeof displacement);
    return address + at + 7 + (u64)(i64)displacement;
}

u64 arch_once_flag(const u8 *code, u64 address)
{
    static const u8 endbr64[4] = { 0xf3, 0x0f, 0x1e, 0xfa };
    u32 at = memcmp(code, endbr64, sizeof endbr64) == 0 ? sizeof endbr64 : 0;
    if (code[at] != 0x80 || code[at + 1] != 0x3d || code[at + 6] != 0 || code[at + 7] != 0x75)
        return 0;
    u64 flag = byte_meant(code, address, at);
    for (at += 9; at + 7 <= ARCH_ONCE_BYTES; at++)
        if (code[at] == 0xc6 && code[at + 1] == 0x05 && code[at + 6] == 1 && byte_meant(code, address, at) == flag)
            return flag;
    return 0;
}
