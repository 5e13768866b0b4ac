/* access.c - which address was touched, and how. The kernel tells a program the address of a page fault but not whether it read or wrote,
 * and of a general protection fault (non-canonical or badly aligned) not even the address: the instruction's operands tell both. */
#include "crash.h"

static bool is_canonical(u64 addr) { return (addr + 0x800000000000ull) >> 48 == 0; }

enum { NEAR = 64 };                   /* an access that straddles pages is told by the address of the second */

static void from_operands(struct crash *crash) {
    const struct unwound *unwound = &crash->unwound;
    const struct crash_map *map = space_map(&crash->space, crash->addr);
    for (size_t i = 0; i < unwound->operand_count; i++) {
        const struct operand *operand = &unwound->operands[i];
        if (!operand->memory || crash->addr - operand->addr >= (operand->len ? operand->len : NEAR))
            continue;
        /* what may be read was not refused for reading */
        bool writes = operand->write && (!operand->read || (map && map->read));
        crash->access = writes ? ACCESS_WRITES : operand->read ? ACCESS_READS : ACCESS_UNKNOWN;
        crash->surely_read = operand->source;
        return;
    }
}

static void from_protection_fault(struct crash *crash) {
    const struct unwound *unwound = &crash->unwound;
    for (size_t i = 0; i < unwound->operand_count; i++) {
        const struct operand *operand = &unwound->operands[i];
        u64 target = operand->addr;
        if (operand->memory && !is_canonical(operand->addr)) {
            crash->access = operand->write && !operand->read ? ACCESS_WRITES : ACCESS_READS;
            crash->addr = operand->addr;
            crash->has_addr = true;
            return;
        }
        if (operand->target && (!operand->memory || space_word(&crash->space, operand->addr, &target)) && !is_canonical(target)) {
            crash->access = ACCESS_EXECUTES;
            crash->addr = target;
            crash->has_addr = true;
            return;
        }
    }
    for (size_t i = 0; unwound->aligned && i < unwound->operand_count; i++)
        if (unwound->operands[i].memory && unwound->operands[i].len >= 16 && unwound->operands[i].addr % unwound->operands[i].len) {
            crash->access = unwound->operands[i].write ? ACCESS_WRITES : ACCESS_READS;
            crash->addr = unwound->operands[i].addr;
            crash->has_addr = true;
            return;
        }
}

void access_find(struct crash *crash) {
    const siginfo_t *info = &crash->moment.info;
    const u64 pc = crash->moment.regs.rip;
    if (info->si_signo != SIGSEGV && info->si_signo != SIGBUS)
        return;
    if (info->si_code == SI_KERNEL) {
        from_protection_fault(crash);
        return;
    }
    if (info->si_code <= 0)
        return;                       /* sent, not met */
    crash->has_addr = true;
    crash->addr = (u64)info->si_addr;
    if (crash->addr == pc || (crash->addr > pc && crash->addr - pc < INSTRUCTION_MAX && crash->unwound.byte_count == crash->addr - pc))
        crash->access = ACCESS_EXECUTES;
    else
        from_operands(crash);
}
