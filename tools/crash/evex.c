/* evex.c - the memory operand of a vector instruction that capstone 4 does not know: those on bytes and words (AVX-512BW), which the C
 * library's strlen, memcpy and their like consist of on today's processors. Intel's manual, volume 2, "Intel AVX-512 Encoding". */
#include "crash.h"

enum { GATHER_FIRST = 0x90, SCATTER_LAST = 0xa3, STORE = 0x7f };

/* Registers by their number in the encoding. */
static u64 register_word(const struct user_regs_struct *r, u32 number) {
    const u64 words[] = { r->rax, r->rcx, r->rdx, r->rbx, r->rsp, r->rbp, r->rsi, r->rdi, r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15 };
    return words[number & 15];
}

/* Bytes: 62, P0 (R X B R' 0 map), P1 (W vvvv 1 pp), P2 (z LL b V' aaa), opcode, ModRM, SIB, displacement. R, X and B are inverted. */
bool evex_operand(const u8 *code, u32 len, const struct user_regs_struct *registers, struct operand *operand) {
    if (len < 7 || code[0] != 0x62)
        return false;
    const u32 map = code[1] & 7, opcode = code[4], mod = code[5] >> 6, rm = code[5] & 7, width = 16u << (code[3] >> 5 & 3);
    const u32 high_base = code[1] & 0x20 ? 0 : 8, high_index = code[1] & 0x40 ? 0 : 8, at = rm == 4 ? 7 : 6;
    const bool by_vector = map == 2 && opcode >= GATHER_FIRST && opcode <= SCATTER_LAST;
    if (mod == 3 || (mod == 0 && rm == 5) || by_vector || width > 64 || len < at + (mod == 1 ? 1 : mod == 2 ? 4 : 0))
        return false;
    u64 addr = 0;
    if (rm == 4) {
        const u32 base = code[6] & 7, index = (code[6] >> 3 & 7) | high_index;
        if (mod == 0 && base == 5)
            return false;
        addr = register_word(registers, base | high_base) + (index == 4 ? 0 : register_word(registers, index) << (code[6] >> 6));
    } else {
        addr = register_word(registers, rm | high_base);
    }
    const bool broadcast = code[3] & 0x10;
    if (mod == 1)                     /* a byte counts whole operands */
        addr += (u64)((i64)(signed char)code[at] * (broadcast ? (code[2] & 0x80 ? 8 : 4) : (i64)width));
    else if (mod == 2)
        addr += (u64)(i64)(int)((u32)code[at] | (u32)code[at + 1] << 8 | (u32)code[at + 2] << 16 | (u32)code[at + 3] << 24);
    const bool store = map == 1 && opcode == STORE;
    *operand = (struct operand){ .addr = addr, .len = broadcast ? 8 : width, .memory = true, .read = !store, .write = store };
    return true;
}
