/* outcome_code.c - see outcome_code.h. Each form below is an instruction, or one that differs from it in an operand, a prefix or the place of what it
 * reads. How often each comes is tuned so that one function in some ten is known, and some of those call and set a flag. */
#include "outcome_code.h"

enum { OWN_MOST = 128, RDI = 7 };

struct writer {
    u8 *text;
    u32 at, end;                      /* offsets in it; what would stand behind the end is not written */
    u32 pushed;                       /* words that a well-behaved function still has to take off the stack */
    u64 asked;                        /* the flag that it asked for last; 0: none */
    u32 favourite;                    /* the register it works with, else what one instruction computes no other would see */
};

static u64 state;

void random_from(u64 number)
{
    number = (number + 1) * 0x9e3779b97f4a7c15ull;     /* neighbours must not begin alike */
    number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9ull;
    number ^= number >> 27;
    state = number ? number : 1;
}

u64 random_word(void)
{
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return state;
}

u32 random_below(u32 limit)
{
    return (u32)(random_word() >> 20) % limit;
}

static bool one_in(u32 count)
{
    return random_below(count) == 0;
}

static void put(struct writer *w, u32 byte)
{
    if (w->at < w->end)
        w->text[w->at++] = (u8)byte;
}

static void put_bytes(struct writer *w, const u8 *bytes, u32 len)
{
    for (u32 i = 0; i < len; i++)
        put(w, bytes[i]);
}

static void put_word(struct writer *w, u32 word)
{
    for (u32 i = 0; i < 4; i++)
        put(w, word >> 8 * i);
}

/* The displacement of an address; `behind`: bytes of the instruction that follow it. */
static void put_relative(struct writer *w, u64 address, u32 behind)
{
    put_word(w, (u32)(address - (TEXT + w->at + 4 + behind)));
}

static u32 likely_register(const struct writer *w)
{
    static const u8 likely[] = { 0, 1, 6, RDI, 0, RDI, 3, 5, 2 };
    return one_in(2) ? w->favourite : likely[random_below(sizeof likely)];
}

/* REX or none: nearly always the one that makes an operation 8 bytes wide. */
static void put_rex(struct writer *w, u32 others_one_in)
{
    if (!one_in(others_one_in))
        put(w, 0x48);
    else if (!one_in(3))
        put(w, one_in(2) ? 0x48 | random_below(8) : 0x40 | random_below(16));
}

static void put_registers(struct writer *w)
{
    put(w, one_in(4) ? 0xc0 | random_below(64) : 0xc0 | likely_register(w) << 3 | likely_register(w));
}

/* ModRM: an operation of a group on a register. */
static void put_group(struct writer *w, u32 operation)
{
    put(w, 0xc0 | operation << 3 | likely_register(w));
}

/* ModRM: memory relative to the next instruction. */
static void put_memory(struct writer *w, u32 reg, u64 address, u32 behind)
{
    put(w, 5 | reg << 3);
    put_relative(w, address, behind);
}

/* Of the object's words, or half in them, or at the edge of what is mapped. */
static u64 some_place(void)
{
    switch (random_below(14)) {
    case 0: return DATA + random_below(sizeof ((struct memory *)0)->data);
    case 1: case 2: return DATA + 8 * random_below(3);
    case 3: return GOT + random_below(DATA - GOT);
    case 4: return TEXT + random_below(TEXT_END - TEXT);
    case 5: return GOT - random_below(9);
    case 6: return DATA - random_below(9);
    case 7: return DATA + 4096 - random_below(9);
    default: return GOT + 8 * random_below((DATA - GOT) / 8);
    }
}

static u64 some_text(void)
{
    static const u32 entries[] = { INIT, DTORS, FRAME, FINI, TEXT + 0x30, TEXT + 0x40, TEXT + 0x70, OWN };
    return one_in(3) ? entries[random_below(ARRAY_COUNT(entries))] : OWN + random_below(OWN_MOST);
}

static u64 some_elsewhere(void)
{
    return ELSEWHERE + ELSEWHERE_SIZE * random_below(ELSEWHERE_COUNT);
}

/* ModRM, SIB and displacement of any memory. */
static void put_any_memory(struct writer *w)
{
    u32 modrm = random_below(0xc0), mod = modrm >> 6, rm = modrm & 7;
    put(w, modrm);
    if (rm == 4)
        put(w, random_below(256));
    if (mod == 1)
        put(w, random_below(256));
    if (mod == 2 || (mod == 0 && rm == 5))
        put_word(w, (u32)random_word());
}

static void arithmetic(struct writer *w)
{
    static const u8 opcodes[] = { 0x01, 0x29, 0x31, 0x39, 0x85, 0x89, /* not carried out: */ 0x03, 0x2b, 0x33, 0x3b, 0x21, 0x09, 0x84, 0x87, 0x0b, 0x63 };
    put_rex(w, 2);
    put(w, opcodes[random_below(one_in(4) ? sizeof opcodes : 6)]);
    if (one_in(10))
        put_any_memory(w);
    else if (one_in(8))
        put_memory(w, likely_register(w), some_place(), 0);
    else
        put_registers(w);
}

static void clear_register(struct writer *w)
{
    u32 reg = likely_register(w);
    put(w, 0x31);
    put(w, 0xc0 | reg << 3 | reg);
}

static void load(struct writer *w)
{
    put_rex(w, 5);
    put(w, 0x8b);
    put_memory(w, likely_register(w), w->asked && one_in(6) ? w->asked - random_below(8) : some_place(), 0);
}

static void load_address(struct writer *w)
{
    put_rex(w, 6);
    put(w, 0x8d);
    put_memory(w, one_in(2) ? RDI : likely_register(w), some_place(), 0);
}

static void compute_small(struct writer *w)
{
    static const u8 done[] = { 0, 5, 7, 7 };
    put_rex(w, 2);
    put(w, 0x83);
    put_group(w, one_in(4) ? random_below(8) : done[random_below(sizeof done)]);
    put(w, one_in(3) ? random_below(256) : random_below(17) - 8);
}

static void compare_memory(struct writer *w)
{
    u32 small = one_in(3) ? random_below(256) : 0;
    put_rex(w, 2);
    put(w, 0x83);
    put_memory(w, one_in(5) ? random_below(8) : 7, some_place(), 1);
    put(w, small);
}

static void move_stack(struct writer *w)
{
    u32 words = random_below(4);
    bool back = one_in(3);
    put(w, 0x48);
    put(w, 0x83);
    put(w, back ? 0xc4 : 0xec);
    put(w, 8 * words);
    w->pushed += back ? -(words < w->pushed ? words : w->pushed) : words;
}

static void shift(struct writer *w)
{
    bool by_one = one_in(2);
    put_rex(w, 4);
    put(w, (by_one ? 0xd1 : 0xc1) + (one_in(4) ? by_one ? 2 : (u32)-1 : 0));
    put_group(w, one_in(4) ? random_below(8) : one_in(2) ? 5 : 7);
    if (!by_one)
        put(w, random_below(one_in(3) ? 256 : 64));
}

static void jump_short(struct writer *w)
{
    put(w, one_in(4) ? 0x70 | random_below(16) : one_in(2) ? 0x74 : 0x75);
    put(w, one_in(12) ? random_below(256) : random_below(20));
}

static void jump_near(struct writer *w)
{
    put(w, 0x0f);
    put(w, one_in(6) ? 0x80 | random_below(16) : one_in(2) ? 0x84 : 0x85);
    put_word(w, random_below(24));
}

static void push(struct writer *w)
{
    if (one_in(6))
        put(w, 0x41);
    put(w, 0x50 | random_below(8));
    w->pushed++;
}

static void pop(struct writer *w)
{
    if (one_in(6))
        put(w, 0x41);
    put(w, 0x58 | random_below(8));
    w->pushed -= w->pushed != 0;
}

static void call(struct writer *w)
{
    put(w, 0xe8);
    put_relative(w, !one_in(3) ? some_text() : one_in(4) ? some_place() : some_elsewhere(), 0);
}

static void jump(struct writer *w)
{
    if (one_in(2)) {
        put(w, 0xeb);
        put(w, one_in(8) ? 0xfe /* to itself */ : random_below(20));
        return;
    }
    put(w, 0xe9);
    put_relative(w, one_in(2) ? some_text() : some_elsewhere(), 0);
}

static u32 call_or_jump(void)
{
    return one_in(5) ? random_below(8) : one_in(2) ? 2 : 4;
}

static void call_memory(struct writer *w)
{
    if (one_in(4))
        put_rex(w, 2);
    put(w, 0xff);
    put_memory(w, call_or_jump(), some_place(), 0);
}

static void call_register(struct writer *w)
{
    if (one_in(4))
        put_rex(w, 2);
    put(w, 0xff);
    put_group(w, call_or_jump());
}

/* What a register holds decides whether the function comes to an end. */
static void decide_by_register(struct writer *w)
{
    u32 reg = likely_register(w);
    if (one_in(2))
        put(w, 0x48);
    if (one_in(2))
        put_bytes(w, (u8[]){ 0x85, (u8)(0xc0 | reg << 3 | reg) }, 2);
    else
        put_bytes(w, (u8[]){ 0x83, (u8)(0xf8 | reg), (u8)random_below(4) }, 3);
    put_bytes(w, (u8[]){ one_in(2) ? 0x75 : 0x74, 0x01, 0xf4 /* hlt */ }, 3);
}

/* What a register holds is handed on. */
static void show_register(struct writer *w)
{
    put_bytes(w, (u8[]){ 0x48, 0x89, (u8)(0xc0 | likely_register(w) << 3 | RDI), 0xe8 }, 4);
    put_relative(w, some_elsewhere(), 0);
}

/* As compilers have it: a function of which the GOT knows, if there is one. */
static void call_if_there(struct writer *w)
{
    u32 reg = one_in(4) ? likely_register(w) : 0;
    if (one_in(2))
        load_address(w);
    put(w, 0x48);
    put(w, 0x8b);
    put_memory(w, reg, GOT + 8 * random_below((DATA - GOT) / 8), 0);
    put_bytes(w, (u8[]){ 0x48, 0x85, (u8)(0xc0 | reg << 3 | reg), one_in(6) ? 0x75 : 0x74, 0x02, 0xff, (u8)(0xc0 | call_or_jump() << 3 | reg) }, 7);
}

static void ask_flag(struct writer *w)
{
    w->asked = DATA + (one_in(3) ? random_below(24) : 8);
    put(w, 0x80);
    put_memory(w, 7, w->asked, 1);
    put(w, one_in(8) ? random_below(256) : 0);
    put(w, 0x75);
    put(w, random_below(24));
}

static void set_flag(struct writer *w)
{
    put(w, 0xc6);
    put_memory(w, 0, w->asked && !one_in(8) ? w->asked : DATA + random_below(24), 1);
    put(w, one_in(6) ? random_below(256) : 1);
}

static void long_nop(struct writer *w)
{
    put(w, 0x0f);
    put(w, one_in(8) ? random_below(256) : one_in(3) ? 0x1e : 0x1f);
    if (one_in(3))
        put_registers(w);
    else
        put_any_memory(w);
}

static void short_nop(struct writer *w)
{
    put(w, 0x90);
}

static void other_instruction(struct writer *w)
{
    static const u8 others[][4] = {
        { 0xf3, 0x0f, 0x1e, 0xfa }, { 0x48, 0x89, 0xe5, 0x90 }, { 0xc9, 0x90, 0x90, 0x90 }, { 0x66, 0x90, 0x66, 0x90 }, { 0x98, 0x48, 0x98, 0x90 },
        { 0x48, 0x99, 0x90, 0x90 }, { 0xf8, 0xf9, 0x90, 0x90 }, { 0x0f, 0x05, 0x90, 0x90 },
    };
    put_bytes(w, others[random_below(ARRAY_COUNT(others))], 4);
}

static void other_byte(struct writer *w)
{
    put(w, random_below(256));
}

static void instruction(struct writer *w)
{
    static const u8 prefixes[] = { 0x66, 0x2e, 0xf2, 0xf3, 0x67, 0x64, 0x65, 0xf0, 0x3e, 0x36 };
    static void (*const forms[])(struct writer *) = {  /* as often as they stand here */
        arithmetic, arithmetic, clear_register, load, load, load, load_address, load_address, compute_small, compute_small, compare_memory, move_stack,
        shift, shift, jump_short, jump_short, jump_near, push, push, pop, call, jump, call_memory, call_register, call_if_there, call_if_there, decide_by_register,
        show_register, ask_flag, set_flag, long_nop, short_nop, other_instruction, other_byte,
    };
    while (one_in(16))
        put(w, prefixes[random_below(sizeof prefixes)]);
    forms[random_below(ARRAY_COUNT(forms))](w);
}

/* As a function ends that leaves everything as it should be; now and then not quite so. */
static void end_function(struct writer *w)
{
    if (one_in(4))
        (one_in(2) ? decide_by_register : show_register)(w);
    if (w->asked && !one_in(6))
        set_flag(w);
    while (w->pushed && !one_in(16))
        pop(w);
    put(w, 0xc3);
    w->pushed = 0;
}

static u64 make_own(struct memory *memory)
{
    struct writer w = { memory->text, OWN - TEXT, OWN - TEXT + OWN_MOST, 0, 0, random_below(2) ? 0 : RDI };
    if (one_in(6))
        ask_flag(&w);
    for (u32 count = one_in(2) ? 2 : 0; count; count--)                    /* something to compute with */
        (one_in(4) ? load_address : load)(&w);
    for (u32 count = 1 + random_below(8); count; count--)
        instruction(&w);
    end_function(&w);
    while (w.at < w.end && !one_in(3)) {               /* what jumps and calls meet */
        instruction(&w);
        if (one_in(3))
            end_function(&w);
    }
    put(&w, 0xc3);
    return OWN;
}

static u64 break_start_file(struct memory *memory)
{
    static const u32 functions[] = { INIT, DTORS, DTORS, FRAME, FINI };
    u64 function = functions[random_below(ARRAY_COUNT(functions))];
    for (u32 count = random_below(4); count; count--) {
        u32 at = one_in(3) ? random_below(sizeof start_files) : (u32)(function - TEXT) + random_below(0x38);
        struct writer w = { memory->text, at, sizeof start_files, 0, FLAG, 0 };
        (one_in(2) ? other_byte : instruction)(&w);
    }
    return function;
}

static u64 some_value(void)
{
    switch (random_below(10)) {
    case 0: case 1: case 2: return 0;
    case 3: case 4: case 5: return some_elsewhere();
    case 6: return some_text();
    case 7: return DATA + 8 * random_below(4);
    case 8: return one_in(2) ? random_below(4) : (u64)(random_below(8) | 1) << random_below(64);
    default: return random_word();
    }
}

void code_change_data(struct memory *memory)
{
    for (u32 i = 0; i < sizeof memory->data; i += 8) {
        u64 value = one_in(3) ? random_word() : i == FLAG - DATA ? 0 : DATA + i;
        memcpy(memory->data + i, &value, 8);
    }
}

u64 code_make(struct memory *memory)
{
    memset(memory->text, 0xcc, sizeof memory->text);
    memcpy(memory->text, start_files, sizeof start_files);
    for (u32 i = 0; i < ARRAY_COUNT(memory->got); i++)
        memory->got[i] = some_value();
    code_change_data(memory);
    return one_in(8) ? break_start_file(memory) : make_own(memory);
}
