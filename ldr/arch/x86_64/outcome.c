/* outcome.c - what a function comes to, found by carrying it out on paper (Intel SDM volume 2).
 *
 * Made for what compilers and C libraries put into every library: _init, _fini, frame_dummy, __do_global_dtors_aux and what they call. Those
 * use a few dozen forms of instructions, and what they decide by stands in memory that no longer changes (the GOT behind RELRO). Anything
 * else ends the attempt, so whoever asks is told nothing where the function could do something that is not in the outcome. */
#include "../arch.h"

enum { RSP = 4, RDI = 7, WORDS_MOST = 16, STEPS_MOST = 128, CODE_MOST = 15 /* bytes of an instruction; a longer one is a fault */ };
#define RETURN_ADDRESS 1ull           /* of whoever called the function: no instruction stands there */
#define CALLER_SAVED 0x0fc7u          /* rax, rcx, rdx, rsi, rdi, r8 to r11 */

struct machine {
    const struct code_reader *reader;
    struct code_outcome *out;
    u64 reg[16];
    u64 from[16];                     /* where a value was read from memory that may change: to be handed on, not to be decided by; 0: not so */
    u32 known;                        /* registers whose value is known, and decided by */
    bool zero, zero_known;
    bool flag_set;
    u64 word[WORDS_MOST];             /* the stack, from the return address of the function on */
    u32 word_known, depth;
    u64 pc;
};

/* One operand that ModRM names: a register, or memory relative to the next instruction; NEITHER: any other memory. */
struct operand { enum { REGISTER, MEMORY, NEITHER } kind; u32 reg, rm; u64 address; };

static u32 fetch(const struct machine *m, u8 code[CODE_MOST])
{
    for (u32 len = CODE_MOST; len; len--)
        if (m->reader->read(m->reader->context, m->pc, len, code) == CODE_TEXT)
            return len;
    return 0;
}

/* Steps *at over ModRM, SIB and displacement; `behind`: bytes of immediate that follow. */
static bool take_operand(const struct machine *m, const u8 *code, u32 len, u32 *at, u32 rex, u32 behind, struct operand *out)
{
    if (*at >= len)
        return false;
    u32 byte = code[(*at)++], mod = byte >> 6, rm = byte & 7;
    out->reg = (byte >> 3 & 7) | (rex & 4) << 1;
    out->rm = rm | (rex & 1) << 3;
    out->kind = mod == 3 ? REGISTER : mod == 0 && rm == 5 ? MEMORY : NEITHER;
    if (out->kind != MEMORY) {
        if (mod != 3 && rm == 4)
            *at += 1u + (mod == 0 && *at < len && (code[*at] & 7) == 5 ? 4 : 0);
        *at += mod == 1 ? 1 : mod == 2 ? 4 : 0;
        return *at + behind <= len;
    }
    int32_t displacement;
    if (*at + 4 + behind > len)
        return false;
    memcpy(&displacement, code + *at, 4);
    *at += 4;
    out->address = m->pc + *at + behind + (u64)(i64)displacement;
    return true;
}

static void set(struct machine *m, u32 reg, u64 value, bool wide)
{
    m->reg[reg] = wide ? value : (u32)value;
    m->from[reg] = 0;
    m->known |= 1u << reg;
}

static bool is_known(const struct machine *m, u32 reg)
{
    return m->known >> reg & 1;
}

static void judge(struct machine *m, u64 value, bool wide)
{
    m->zero = (wide ? value : (u32)value) == 0;
    m->zero_known = true;
}

static bool push(struct machine *m, u64 value, bool known)
{
    if (m->depth == WORDS_MOST)
        return false;
    m->word[m->depth] = value;
    m->word_known = (m->word_known & ~(1u << m->depth)) | (u32)known << m->depth;
    m->depth++;
    return true;
}

/* A function of others, whose outcome is not ours to find. */
static bool call_outside(struct machine *m, u64 target)
{
    if (!target || m->out->called || !(is_known(m, RDI) || m->from[RDI]))      /* called at 0, a process ends */
        return false;
    m->out->called = target;
    m->out->argument = m->reg[RDI];
    m->out->argument_at = m->from[RDI];
    m->known &= ~CALLER_SAVED;
    for (u32 i = 0; i < 16; i++)
        if (CALLER_SAVED >> i & 1)
            m->from[i] = 0;
    m->zero_known = false;
    return true;
}

static bool leave(struct machine *m)
{
    if (!m->depth || !(m->word_known >> --m->depth & 1))
        return false;
    m->pc = m->word[m->depth];
    return true;
}

static bool go(struct machine *m, u64 target, bool call, u64 next)
{
    u8 byte;
    if (m->reader->read(m->reader->context, target, 1, &byte) != CODE_NONE) {
        m->pc = target;
        return !call || push(m, next, true);
    }
    m->pc = next;
    return call_outside(m, target) && (call || leave(m));
}

/* `len` bytes that may be decided by. */
static bool read_fixed(const struct machine *m, u64 address, u64 len, u64 *value)
{
    *value = 0;
    enum code_memory memory = m->reader->read(m->reader->context, address, len, (u8 *)value);
    return memory == CODE_TEXT || memory == CODE_FIXED;
}

/* cmpb $0, flag: the one byte that may change and is asked for. It is asked for first, so nothing was done if it is set. */
static bool ask_flag(struct machine *m, u64 address)
{
    u8 byte;
    if (m->out->flag || m->out->called || m->reader->read(m->reader->context, address, 1, &byte) != CODE_CHANGES || byte)
        return false;
    m->out->flag = address;
    judge(m, 0, true);
    return true;
}

static bool set_flag(struct machine *m, u64 address, u8 value)
{
    m->flag_set = true;
    return address == m->out->flag && address && value == 1;
}

static bool load(struct machine *m, const struct operand *from, bool wide)
{
    if (from->reg == RSP || from->kind == NEITHER)
        return false;
    if (from->kind == REGISTER) {
        bool known = is_known(m, from->rm);
        u64 origin = wide ? m->from[from->rm] : 0;
        set(m, from->reg, m->reg[from->rm], wide);
        m->from[from->reg] = origin;
        m->known &= ~((u32)!known << from->reg);
        return true;
    }
    u64 value = 0;
    enum code_memory memory = m->reader->read(m->reader->context, from->address, wide ? 8 : 4, (u8 *)&value);
    if (memory == CODE_NONE || (memory == CODE_CHANGES && m->flag_set))        /* the flag may stand in the word, no longer as it was read */
        return false;
    set(m, from->reg, value, wide);
    if (memory == CODE_CHANGES) {
        m->from[from->reg] = from->address;
        m->known &= ~(1u << from->reg);
    }
    return wide || memory != CODE_CHANGES;
}

/* As the instructions of group 1 are numbered: add 0, sub 5, xor 6, cmp 7; and test 4, which like cmp stores nothing. */
static bool compute(struct machine *m, u32 operation, u32 to, u64 left, u64 right, bool wide)
{
    u64 value = operation == 0 ? left + right : operation == 4 ? (left & right) : operation == 6 ? (left ^ right) : left - right;
    judge(m, value, wide);
    if (operation != 4 && operation != 7)
        set(m, to, value, wide);
    return true;
}

static bool compute_registers(struct machine *m, u32 operation, const struct operand *op, bool wide)
{
    if (op->kind != REGISTER || op->rm == RSP || op->reg == RSP)
        return false;
    if (operation == 6 && op->reg == op->rm)           /* clears, whatever was there */
        return compute(m, 6, op->rm, 0, 0, wide);
    return is_known(m, op->rm) && is_known(m, op->reg) && compute(m, operation, op->rm, m->reg[op->rm], m->reg[op->reg], wide);
}

static bool compute_small(struct machine *m, const struct operand *op, int8_t small, bool wide)
{
    u64 value;
    if (op->kind == MEMORY)
        return op->reg == 7 && read_fixed(m, op->address, wide ? 8 : 4, &value) && compute(m, 7, 0, value, (u64)(i64)small, wide);
    if (op->kind != REGISTER)
        return false;
    if (op->rm != RSP)
        return (op->reg == 0 || op->reg == 5 || op->reg == 7) && is_known(m, op->rm) && compute(m, op->reg, op->rm, m->reg[op->rm], (u64)(i64)small, wide);
    u32 words = (u32)small / 8;
    if (!wide || small < 0 || small % 8 || (op->reg != 0 && op->reg != 5))
        return false;
    m->zero_known = false;
    if (op->reg == 0) {
        m->depth -= words <= m->depth ? words : m->depth;
        return m->depth > 0;
    }
    bool room = true;
    while (words-- > 0 && room)
        room = push(m, 0, false);
    return room;
}

static bool shift(struct machine *m, const struct operand *op, u32 count, bool wide)
{
    if (op->kind != REGISTER || op->rm == RSP || !is_known(m, op->rm) || !wide || count > 63 || !count || ((op->reg & 7) != 5 && (op->reg & 7) != 7))
        return false;
    u64 value = m->reg[op->rm];
    value = (op->reg & 7) == 5 ? value >> count : (u64)((i64)value >> count);
    judge(m, value, true);
    set(m, op->rm, value, true);
    return true;
}

static bool indirect(struct machine *m, const struct operand *op, u64 next)
{
    u64 target;
    bool call = op->reg == 2;
    if (op->reg != 2 && op->reg != 4)
        return false;
    if (op->kind == MEMORY ? !read_fixed(m, op->address, 8, &target) : op->kind != REGISTER || !is_known(m, op->rm))
        return false;
    return go(m, op->kind == MEMORY ? target : m->reg[op->rm], call, next);
}

static bool jump(struct machine *m, const u8 *code, u32 at, u32 width, u32 len, bool conditional, bool if_zero)
{
    int32_t wide;
    if (at + width > len || (conditional && !m->zero_known))
        return false;
    memcpy(&wide, code + at, width == 4 ? 4 : 1);
    u64 next = m->pc + at + width, target = next + (u64)(width == 4 ? (i64)wide : (i64)(int8_t)code[at]);
    return go(m, !conditional || m->zero == if_zero ? target : next, false, next);
}

static bool step_two_bytes(struct machine *m, const u8 *code, u32 len, u32 at, u32 rex)
{
    struct operand op;
    u32 opcode = code[at++];
    if (opcode == 0x84 || opcode == 0x85)
        return jump(m, code, at, 4, len, true, opcode == 0x84);
    /* nop; and endbr64, whose opcode with another operand reads the pointer of the shadow stack where there is one (rdsspq) */
    bool nothing = opcode == 0x1f || (opcode == 0x1e && at < len && code[at] == 0xfa);
    if (!nothing || !take_operand(m, code, len, &at, rex, 0, &op))
        return false;
    m->pc += at;
    return true;
}

/* Opcodes with ModRM and `behind` bytes of immediate. */
static bool step_modrm(struct machine *m, const u8 *code, u32 len, u32 at, u32 rex, u32 opcode)
{
    struct operand op;
    bool wide = rex & 8, good = false;
    u32 behind = opcode == 0x80 || opcode == 0x83 || opcode == 0xc1 || opcode == 0xc6 ? 1 : 0;
    if (!take_operand(m, code, len, &at, rex, behind, &op))
        return false;
    u8 small = behind ? code[at] : 0;
    u64 next = m->pc + at + behind;
    switch (opcode) {
    case 0x01: good = compute_registers(m, 0, &op, wide); break;
    case 0x29: good = compute_registers(m, 5, &op, wide); break;
    case 0x31: good = compute_registers(m, 6, &op, wide); break;
    case 0x39: good = compute_registers(m, 7, &op, wide); break;
    case 0x85: good = compute_registers(m, 4, &op, wide); break;
    case 0x80: good = op.kind == MEMORY && op.reg == 7 && !small && ask_flag(m, op.address); break;
    case 0x83: good = compute_small(m, &op, (int8_t)small, wide); break;
    case 0x89:
        if (op.kind == REGISTER) {
            struct operand turned = { REGISTER, op.rm, op.reg, 0 };
            good = load(m, &turned, wide);
        }
        break;
    case 0x8b: good = load(m, &op, wide); break;
    case 0x8d:
        good = op.kind == MEMORY && op.reg != RSP && wide;
        if (good)
            set(m, op.reg, op.address, true);
        break;
    case 0xc1: good = shift(m, &op, small, wide); break;
    case 0xd1: good = shift(m, &op, 1, wide); break;
    case 0xc6: good = op.kind == MEMORY && op.reg == 0 && set_flag(m, op.address, small); break;
    case 0xff: return indirect(m, &op, next);
    }
    m->pc = next;
    return good;
}

static bool step(struct machine *m)
{
    u8 code[CODE_MOST];
    u32 len = fetch(m, code), at = 0, rex = 0;
    bool narrow = false;
    while (at < len && (code[at] == 0x66 || code[at] == 0x2e || code[at] == 0xf2 || code[at] == 0xf3))
        narrow |= code[at++] == 0x66;
    bool prefixed = at;               /* of nops, and but for 0x66 of jumps: there they do nothing */
    if (at < len && (code[at] & 0xf0) == 0x40)
        rex = code[at++];
    if (at + 1 > len)
        return false;
    u32 opcode = code[at++];
    if (narrow && opcode != 0x90 && !(opcode == 0x0f && at < len && code[at] == 0x1f))
        return false;
    switch (opcode) {
    case 0x0f: return at < len && step_two_bytes(m, code, len, at, rex);
    case 0x74: case 0x75: return jump(m, code, at, 1, len, true, opcode == 0x74);
    case 0x90: m->pc += at; return !rex;
    case 0xc3: return leave(m);
    case 0xe9: return jump(m, code, at, 4, len, false, false);
    case 0xeb: return jump(m, code, at, 1, len, false, false);
    case 0xff: return step_modrm(m, code, len, at, rex, opcode);
    case 0xe8: {
        int32_t displacement;
        if (at + 4 > len)
            return false;
        memcpy(&displacement, code + at, 4);
        return go(m, m->pc + at + 4 + (u64)(i64)displacement, true, m->pc + at + 4);
    }
    }
    if (prefixed)
        return false;
    u32 reg = (opcode & 7) | (rex & 1) << 3;
    if (opcode >= 0x50 && opcode < 0x58) {
        m->pc += at;
        return reg != RSP && push(m, m->reg[reg], is_known(m, reg));
    }
    if (opcode >= 0x58 && opcode < 0x60) {
        m->pc += at;
        if (reg == RSP || m->depth < 2)
            return false;
        m->depth--;
        set(m, reg, m->word[m->depth], true);
        m->known &= ~((u32)!(m->word_known >> m->depth & 1) << reg);
        return true;
    }
    return step_modrm(m, code, len, at, rex, opcode);
}

bool arch_outcome(const struct code_reader *reader, u64 function, struct code_outcome *out)
{
    *out = (struct code_outcome){ 0 };
    struct machine m = { .reader = reader, .out = out, .pc = function };
    push(&m, RETURN_ADDRESS, true);
    for (u32 steps = 0; steps < STEPS_MOST; steps++) {
        if (!step(&m))
            return false;
        if (m.pc == RETURN_ADDRESS)
            return m.depth == 0 && m.flag_set == (out->flag != 0);
    }
    return false;
}
