/* unwind.c - the backtrace by elfutils' libdwfl and the instruction by capstone. Both trust what they read (unwind tables, code of any
 * file, a damaged stack), so they work in a child that can only compute (debuginfo/child.h) on copies: files that are mapped here, and
 * as much of the stack as a backtrace needs.
 *
 * Capstone rather than libopcodes, because it says of each operand what is read and written, and its interface is stable; only
 * its x86 half is linked (tools/crash/rules.mk). */
#include "crash.h"
#include "../debuginfo/child.h"
#include "../ldr.h"

#include <capstone/capstone.h>
#include <elfutils/libdwfl.h>
#include <stdlib.h>
#include <string.h>

enum { STACK_LEN = 16 << 20, STACKS = 2, MESSAGE_MAX = 224, DWARF_REGS = 17, DWARF_RSP = 7, CALL_LEN_MAX = 8 };

struct stack { u64 start, len; u8 *bytes; };
struct task {
    const struct space *space;
    const struct moment *moment;
    struct stack stacks[STACKS];
    u8 code[INSTRUCTION_MAX];
    u32 code_len;
    u8 before[CALL_LEN_MAX];          /* what stands before the return address, when popped */
    bool popped;                      /* the program counter leads nowhere: the unwinder begins at the return address */
    u64 pc, sp;                       /* where it begins */
};
/* What the child sends. */
struct wire {
    u64 pc[FRAMES_MAX], sp[FRAMES_MAX];
    u8 exact[FRAMES_MAX];
    u32 frame_count, operand_count, call_count, len;
    u8 more, divides, pushes, privileged, aligned, undefined;
    struct operand operands[OPERANDS_MAX];
    struct call calls[CALLS_MAX];
    char text[MESSAGE_MAX], problem[MESSAGE_MAX];
};

/* ---- in the child: the backtrace ---- */

static const struct task *the_task;   /* libdwfl hands a pointer to some callbacks and not to all */
static struct wire *the_wire;

static int find_elf(Dwfl_Module *module, void **user, const char *name, Dwarf_Addr base, char **file_name, Elf **elf) {
    (void)module, (void)user, (void)name, (void)file_name;
    for (size_t i = 0; i < the_task->space->object_count; i++)
        if (the_task->space->objects[i].start == base && elf_version(EV_CURRENT) != EV_NONE)
            *elf = elf_memory(the_task->space->objects[i].bytes, the_task->space->objects[i].len);
    return -1;
}

/* Lines come from tools/debuginfo, and .eh_frame is in the file itself. */
static int find_nothing(Dwfl_Module *module, void **user, const char *name, Dwarf_Addr base, const char *file, const char *link, GElf_Word crc, char **found) {
    (void)module, (void)user, (void)name, (void)base, (void)file, (void)link, (void)crc, (void)found;
    return -1;
}

static pid_t next_thread(Dwfl *dwfl, void *arg, void **thread) {
    (void)dwfl;
    if (*thread)
        return 0;
    *thread = arg;
    return the_task->space->thread;
}

static bool read_memory(Dwfl *dwfl, Dwarf_Addr addr, Dwarf_Word *result, void *arg) {
    (void)dwfl, (void)arg;
    for (size_t i = 0; i < STACKS; i++) {
        const struct stack *stack = &the_task->stacks[i];
        if (addr >= stack->start && stack->len >= 8 && addr - stack->start <= stack->len - 8) {
            memcpy(result, stack->bytes + (addr - stack->start), 8);
            return true;
        }
    }
    return false;
}

static bool set_registers(Dwfl_Thread *thread, void *arg) {
    const struct user_regs_struct *r = &the_task->moment->regs;
    /* x86-64 psABI, "DWARF Register Number Mapping" */
    Dwarf_Word words[DWARF_REGS] = { r->rax, r->rdx, r->rcx, r->rbx, r->rsi, r->rdi, r->rbp, the_task->sp, r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14,
                                     r->r15, the_task->pc };
    (void)arg;
    return dwfl_thread_state_registers(thread, 0, DWARF_REGS, words);
}

static int take_frame(Dwfl_Frame *state, void *arg) {
    Dwarf_Addr pc;
    Dwarf_Word sp = 0;
    bool exact;
    (void)arg;
    if (!dwfl_frame_pc(state, &pc, &exact))
        return DWARF_CB_ABORT;
    if (the_wire->frame_count == FRAMES_MAX) {
        the_wire->more = true;
        return DWARF_CB_ABORT;
    }
    dwfl_frame_reg(state, DWARF_RSP, &sp);
    /* the return address of a call that led nowhere is no interrupted place */
    if (the_task->popped && the_wire->frame_count == 1)
        exact = false;
    the_wire->pc[the_wire->frame_count] = pc;
    the_wire->sp[the_wire->frame_count] = sp;
    the_wire->exact[the_wire->frame_count++] = exact;
    return DWARF_CB_OK;
}

static void walk_stack(void) {
    static const Dwfl_Callbacks callbacks = { .find_elf = find_elf, .find_debuginfo = find_nothing };
    static const Dwfl_Thread_Callbacks threads = { .next_thread = next_thread, .memory_read = read_memory, .set_initial_registers = set_registers };
    Dwfl *dwfl = dwfl_begin(&callbacks);
    if (!dwfl)
        return;
    dwfl_report_begin(dwfl);
    for (size_t i = 0; i < the_task->space->object_count; i++) {
        const struct crash_object *object = &the_task->space->objects[i];
        if (object->bytes && object->end > object->start)
            dwfl_report_module(dwfl, base_name(object->path), object->start, object->end);
    }
    dwfl_report_end(dwfl, NULL, NULL);
    int result = -1;
    if (dwfl_attach_state(dwfl, NULL, the_task->space->thread, &threads, (void *)the_task))
        result = dwfl_getthread_frames(dwfl, the_task->space->thread, take_frame, NULL);
    if (result == -1)
        snprintf(the_wire->problem, sizeof the_wire->problem, "%s", dwfl_errmsg(-1) ? dwfl_errmsg(-1) : "unknown");
}

/* ---- in the child: the instruction ---- */

static bool register_value(x86_reg number, u64 *value) {
    const struct user_regs_struct *r = &the_task->moment->regs;
    static const struct { u16 whole, half; size_t at; } list[] = {
#define REGISTER(whole, half, field) { X86_REG_##whole, X86_REG_##half, offsetof(struct user_regs_struct, field) }
        REGISTER(RAX, EAX, rax), REGISTER(RBX, EBX, rbx), REGISTER(RCX, ECX, rcx), REGISTER(RDX, EDX, rdx), REGISTER(RSI, ESI, rsi), REGISTER(RDI, EDI, rdi),
        REGISTER(RBP, EBP, rbp), REGISTER(RSP, ESP, rsp), REGISTER(R8, R8D, r8), REGISTER(R9, R9D, r9), REGISTER(R10, R10D, r10), REGISTER(R11, R11D, r11),
        REGISTER(R12, R12D, r12), REGISTER(R13, R13D, r13), REGISTER(R14, R14D, r14), REGISTER(R15, R15D, r15), REGISTER(RIP, EIP, rip),
#undef REGISTER
    };
    *value = 0;
    if (number == X86_REG_INVALID || number == X86_REG_RIZ || number == X86_REG_EIZ)
        return true;
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (list[i].whole == number || list[i].half == number) {
            memcpy(value, (const char *)r + list[i].at, sizeof *value);
            if (list[i].half == number)
                *value &= UINT32_MAX;
            return true;
        }
    return false;             /* a vector register: gathers */
}

static void add_operand(struct operand operand) {
    if (the_wire->operand_count < OPERANDS_MAX)
        the_wire->operands[the_wire->operand_count++] = operand;
}

static bool memory_address(const cs_x86_op *op, u64 next, u64 *addr) {
    u64 base, index;
    if (!register_value(op->mem.base, &base) || !register_value(op->mem.index, &index))
        return false;
    if (op->mem.base == X86_REG_RIP)
        base = next;
    if (op->mem.segment == X86_REG_FS)
        base += the_task->moment->regs.fs_base;
    if (op->mem.segment == X86_REG_GS)
        base += the_task->moment->regs.gs_base;
    *addr = base + index * (u64)op->mem.scale + (u64)op->mem.disp;
    return true;
}

static void add_memory(const cs_x86_op *op, u64 next, bool target, bool source) {
    u64 addr;
    if (memory_address(op, next, &addr))
        add_operand((struct operand){ .addr = addr, .len = op->size, .memory = true, .read = op->access & CS_AC_READ || target || source,
                                      .write = op->access & CS_AC_WRITE && !source, .source = source, .target = target });
}

static bool is_one_of(unsigned id, const u16 *list, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (list[i] == id)
            return true;
    return false;
}
#define ONE_OF(id, ...) is_one_of(id, (const u16[]){ __VA_ARGS__ }, sizeof((u16[]){ __VA_ARGS__ }) / sizeof(u16))

/* The second operand of what moves or computes into a register, and both of a comparison. */
static bool is_source(const cs_insn *insn, u8 operand) {
    const cs_x86 *x86 = &insn->detail->x86;
    return ONE_OF(insn->id, X86_INS_CMP, X86_INS_TEST) ||
           (operand == 1 && x86->operands[0].type == X86_OP_REG &&
            ONE_OF(insn->id, X86_INS_MOV, X86_INS_MOVZX, X86_INS_MOVSX, X86_INS_MOVSXD, X86_INS_ADD, X86_INS_SUB, X86_INS_AND, X86_INS_OR, X86_INS_XOR,
                   X86_INS_MOVUPS, X86_INS_MOVAPS, X86_INS_MOVDQU, X86_INS_MOVDQA, X86_INS_VMOVUPS, X86_INS_VMOVAPS, X86_INS_VMOVDQU, X86_INS_VMOVDQA));
}

static void decode(void) {
    csh handle;
    cs_insn *insn;
    if (!the_task->code_len || cs_open(CS_ARCH_X86, CS_MODE_64, &handle) != CS_ERR_OK)
        return;
    cs_option(handle, CS_OPT_DETAIL, CS_OPT_ON);
    if (cs_disasm(handle, the_task->code, the_task->code_len, the_task->moment->regs.rip, 1, &insn) != 1) {
        struct operand operand;
        if (evex_operand(the_task->code, the_task->code_len, &the_task->moment->regs, &operand)) {
            add_operand(operand);
            snprintf(the_wire->text, sizeof the_wire->text, "a vector instruction (EVEX) on %u bytes at %#llx", operand.len, (unsigned long long)operand.addr);
        }
        return;
    }
    const cs_x86 *x86 = &insn->detail->x86;
    const u64 sp = the_task->moment->regs.rsp;
    bool call = cs_insn_group(handle, insn, X86_GRP_CALL), jump = cs_insn_group(handle, insn, X86_GRP_JUMP);
    snprintf(the_wire->text, sizeof the_wire->text, "%s%s%s", insn->mnemonic, *insn->op_str ? " " : "", insn->op_str);
    the_wire->len = insn->size;
    for (u8 i = 0; i < x86->op_count && insn->id != X86_INS_LEA && insn->id != X86_INS_NOP; i++) {
        const cs_x86_op *op = &x86->operands[i];
        u64 value;
        if (op->type == X86_OP_MEM)
            add_memory(op, insn->address + insn->size, call || jump, is_source(insn, i));
        else if (op->type == X86_OP_REG && (call || jump) && register_value(op->reg, &value))
            add_operand((struct operand){ .addr = value, .target = true });
    }
    the_wire->pushes = call || ONE_OF(insn->id, X86_INS_PUSH, X86_INS_PUSHFQ, X86_INS_ENTER);
    if (the_wire->pushes)
        add_operand((struct operand){ .addr = sp - 8, .len = 8, .memory = true, .write = true });
    if (ONE_OF(insn->id, X86_INS_POP, X86_INS_RET, X86_INS_POPFQ))
        add_operand((struct operand){ .addr = sp, .len = 8, .memory = true, .read = true, .target = insn->id == X86_INS_RET });
    if (insn->id == X86_INS_LEAVE)
        add_operand((struct operand){ .addr = the_task->moment->regs.rbp, .len = 8, .memory = true, .read = true });
    the_wire->divides = ONE_OF(insn->id, X86_INS_DIV, X86_INS_IDIV);
    if (the_wire->divides && x86->op_count == 1 && x86->operands[0].type == X86_OP_REG) {
        u64 value;
        if (register_value(x86->operands[0].reg, &value))
            add_operand((struct operand){ .addr = value });    /* the divisor itself */
    }
    the_wire->undefined = ONE_OF(insn->id, X86_INS_UD2, X86_INS_UD2B);
    the_wire->privileged = cs_insn_group(handle, insn, X86_GRP_PRIVILEGE) ||
                           ONE_OF(insn->id, X86_INS_HLT, X86_INS_CLI, X86_INS_STI, X86_INS_IN, X86_INS_OUT, X86_INS_RDMSR, X86_INS_WRMSR);
    the_wire->aligned = ONE_OF(insn->id, X86_INS_MOVAPS, X86_INS_MOVAPD, X86_INS_MOVDQA, X86_INS_MOVNTPS, X86_INS_MOVNTDQ, X86_INS_VMOVAPS, X86_INS_VMOVAPD,
                               X86_INS_VMOVDQA) || (strncmp(insn->mnemonic, "v", 1) != 0 && cs_insn_group(handle, insn, X86_GRP_SSE2));
}

/* Nothing has run since a call that led nowhere, so its operands still hold what they held; only the stack pointer has moved. */
static void decode_calls(void) {
    struct moment then = *the_task->moment;
    struct task task = *the_task;
    const struct task *outer = the_task;
    csh handle;
    if (cs_open(CS_ARCH_X86, CS_MODE_64, &handle) != CS_ERR_OK)
        return;
    cs_option(handle, CS_OPT_DETAIL, CS_OPT_ON);
    then.regs.rsp += 8;
    task.moment = &then;
    the_task = &task;
    for (u32 len = 2; len <= CALL_LEN_MAX && the_wire->call_count < CALLS_MAX; len++) {
        cs_insn *insn;
        struct call call = { 0 };
        if (cs_disasm(handle, task.before + CALL_LEN_MAX - len, len, task.pc - len, 1, &insn) != 1)
            continue;
        const cs_x86_op *op = &insn->detail->x86.operands[0];
        bool good = insn->size == len && cs_insn_group(handle, insn, X86_GRP_CALL) && insn->detail->x86.op_count == 1;
        if (good && op->type == X86_OP_MEM) {
            call.memory = true;
            good = memory_address(op, task.pc, &call.addr);
        } else if (good && op->type == X86_OP_IMM) {
            call.direct = true;
            call.addr = (u64)op->imm;
        } else {
            good = good && op->type == X86_OP_REG && register_value(op->reg, &call.addr);
        }
        if (good)
            the_wire->calls[the_wire->call_count++] = call;
    }
    the_task = outer;
}

static void work(void *argument, struct outbox *outbox) {
    static struct wire wire;
    the_task = argument;
    the_wire = &wire;
    decode();
    if (the_task->popped) {
        decode_calls();
        wire.pc[0] = the_task->moment->regs.rip;
        wire.sp[0] = the_task->moment->regs.rsp;
        wire.exact[0] = true;
        wire.frame_count = 1;
    }
    walk_stack();
    outbox->bytes = (char *)&wire;
    outbox->len = sizeof wire;
}

/* ---- in the parent ---- */

static struct stack copy_stack(const struct space *space, u64 sp, u64 fs_base) {
    struct stack stack = { 0 };
    const struct crash_map *map = space_map(space, sp);
    /* What lies below is no frame; a stack that overflowed has its frames above the guard. */
    if (!map || !map->read)
        map = space_left(space, sp, fs_base);
    if (!map)
        map = space_above(space, sp);
    while (map && !map->read)
        map = space_above(space, map->start);
    if (!map)
        return stack;
    stack.start = sp > map->start ? align_down(sp, 8) : map->start;
    if (stack.start - map->start >= 128)
        stack.start -= 128;           /* the red zone */
    u64 most = map->end - stack.start;
    stack.bytes = must_alloc(1, most < STACK_LEN ? most : STACK_LEN);
    stack.len = space_read(space, stack.start, stack.bytes, most < STACK_LEN ? most : STACK_LEN);
    return stack;
}

static bool runs_code(const struct space *space, u64 pc) {
    const struct crash_map *map = space_map(space, pc);
    return map && map->exec;
}

static bool honest(struct wire *wire) {
    bool good = wire->frame_count <= FRAMES_MAX && wire->operand_count <= OPERANDS_MAX && wire->call_count <= CALLS_MAX && wire->len <= INSTRUCTION_MAX;
    wire->text[MESSAGE_MAX - 1] = wire->problem[MESSAGE_MAX - 1] = '\0';
    for (u8 *at = (u8 *)wire->text; *at; at++)
        good = good && *at >= ' ' && *at < 0x7f;
    for (u8 *at = (u8 *)wire->problem; *at; at++)
        good = good && *at >= ' ' && *at < 0x7f;
    return good;
}

void unwind(struct unwound *unwound, const struct space *space, const struct moment *moment, const struct moment *also) {
    struct task task = { .space = space, .moment = moment, .pc = moment->regs.rip, .sp = moment->regs.rsp };
    char *bytes = NULL;
    size_t len = 0;
    *unwound = (struct unwound){ 0 };
    task.code_len = (u32)space_read(space, task.pc, task.code, sizeof task.code);
    task.stacks[0] = copy_stack(space, task.sp, moment->regs.fs_base);
    if (also)
        task.stacks[1] = copy_stack(space, also->regs.rsp, also->regs.fs_base);
    u64 back;
    if (!runs_code(space, task.pc) && space_word(space, task.sp, &back) && runs_code(space, back)) {
        task.popped = true;
        task.pc = back;
        task.sp += 8;
        space_read(space, back - CALL_LEN_MAX, task.before, CALL_LEN_MAX);
    }
    unwound->byte_count = task.code_len;
    memcpy(unwound->bytes, task.code, task.code_len);
    unwound->problem = child_run(work, &task, &bytes, &len);
    struct wire *wire = (struct wire *)bytes;
    if (!unwound->problem && (len != sizeof *wire || !honest(wire)))
        unwound->problem = must_format("the process that unwinds answered nonsense");
    if (!unwound->problem) {
        unwound->frame_count = wire->frame_count;
        unwound->operand_count = wire->operand_count;
        unwound->len = wire->len <= task.code_len ? wire->len : 0;
        unwound->more = wire->more;
        unwound->divides = wire->divides;
        unwound->pushes = wire->pushes;
        unwound->privileged = wire->privileged;
        unwound->aligned = wire->aligned;
        unwound->undefined = wire->undefined;
        memcpy(unwound->operands, wire->operands, sizeof wire->operands);
        unwound->call_count = wire->call_count;
        memcpy(unwound->calls, wire->calls, sizeof wire->calls);
        memcpy(unwound->text, wire->text, sizeof unwound->text);
        if (*wire->problem && strcmp(wire->problem, "no error") != 0)
            unwound->problem = must_format("%s", wire->problem);
        for (size_t i = 0; i < unwound->frame_count; i++)
            unwound->frames[i] = (struct frame){ .pc = wire->pc[i], .sp = wire->sp[i], .exact = wire->exact[i] };
    }
    if (!unwound->frame_count) {
        unwound->problem = unwound->problem ? unwound->problem : must_format("no return address is known");
        unwound->frames[0] = (struct frame){ .pc = moment->regs.rip, .sp = moment->regs.rsp, .exact = true };
        unwound->frame_count = 1;
    }
    free(bytes);
    for (size_t i = 0; i < STACKS; i++)
        free(task.stacks[i].bytes);
}

void unwound_free(struct unwound *unwound) {
    for (size_t i = 0; i < unwound->frame_count; i++) {
        free(unwound->frames[i].function);
        free(unwound->frames[i].offset);
        free(unwound->frames[i].file);
    }
    free(unwound->problem);
}
