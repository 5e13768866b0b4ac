/* arch/x86_64/outcome.c: what a function comes to. Of the start files in outcome_object.h it is known from their source (crtstuff.c, crti.S); other
 * functions were assembled for the row. outcome_truth.c compares with the processor. */
#include "elfgen.h"

#include "outcome_object.h"

enum { ELSEWHERE = 0x123450 };

/* `set`: a word made another before, by address; the functions at OWN read it too. */
static const struct row {
    const char *name;
    u64 function;
    bool known;
    u64 flag, called, argument, argument_at;
    u64 set, value;
    u8 code[48];
} rows[] = {
    { "_init", INIT, true },
    { "_init with a profiler", INIT, false, .set = PROFILER, .value = ELSEWHERE },         /* called with whatever is in rdi */
    { "_fini", FINI, true },
    { "frame_dummy", FRAME, true },
    { "frame_dummy, transactions, an empty table", FRAME, true, .set = REGISTER, .value = ELSEWHERE },
    { "dtors_aux", DTORS, true, FLAG, ELSEWHERE, HANDLE, HANDLE },
    { "dtors_aux, another handle", DTORS, true, FLAG, ELSEWHERE, 77, HANDLE, HANDLE, 77 },
    { "dtors_aux without finalizer", DTORS, true, FLAG, .set = FINALIZE, .value = 0 },
    { "dtors_aux that ran", DTORS, false, .set = FLAG, .value = 1 },
    { "finalizer of its own", DTORS, true, FLAG, .set = FINALIZE, .value = FINI },         /* in the object: walked through */
    { "finalizer in the data", DTORS, false, .set = FINALIZE, .value = DATA },
    { "returns", OWN, true, .code = { 0xc3 } },
    { "rep ret, nops of all lengths", OWN, true, .code = { 0x90, 0x66, 0x90, 0x0f, 0x1f, 0x00, 0x0f, 0x1f, 0x40, 0x00, 0x0f, 0x1f, 0x44, 0x00, 0x00,
        0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00, 0xf3, 0xc3 } },
    { "one more pop", OWN, false, .code = { 0x58, 0xc3 } },
    { "one more push", OWN, false, .code = { 0x50, 0xc3 } },
    { "pushes what it returns to", OWN, false, .code = { 0x6a, 0x01, 0xc3 } },
    { "adds to the stack pointer first", OWN, false, .code = { 0x48, 0x83, 0xc4, 0x08, 0x48, 0x83, 0xec, 0x08, 0xc3 } },
    { "half a word of stack", OWN, false, .code = { 0x48, 0x83, 0xec, 0x04, 0x48, 0x83, 0xc4, 0x04, 0xc3 } },
    { "loops for ever", OWN, false, .code = { 0xeb, 0xfe } },
    { "runs into nothing", OWN, false, .code = { 0xe9, 0xf8, 0x00, 0x00, 0x00 } },         /* to the last three bytes of text, zeros */
    { "stores a byte", OWN, false, .code = { 0xc6, 0x05, 0x01, 0x2e, 0x00, 0x00, 0x01, 0xc3 } },
    { "asks and sets, calls nobody", OWN, true, FLAG, .code = { 0x80, 0x3d, 0x01, 0x2e, 0x00, 0x00, 0x00, 0x75, 0x07, 0xc6, 0x05, 0xf8, 0x2d, 0x00, 0x00,
        0x01, 0xc3 } },
    { "asks and sets 2", OWN, false, .code = { 0x80, 0x3d, 0x01, 0x2e, 0x00, 0x00, 0x00, 0x75, 0x07, 0xc6, 0x05, 0xf8, 0x2d, 0x00, 0x00, 0x02, 0xc3 } },
    { "asks and sets another", OWN, false, .code = { 0x80, 0x3d, 0x01, 0x2e, 0x00, 0x00, 0x00, 0x75, 0x07, 0xc6, 0x05, 0xf9, 0x2d, 0x00, 0x00, 0x01, 0xc3 } },
    { "asks, sets nothing", OWN, false, .code = { 0x80, 0x3d, 0x01, 0x2e, 0x00, 0x00, 0x00, 0x75, 0x00, 0xc3 } },
    { "asks and sets, then hands on the flag's word", OWN, false, .code = { 0x80, 0x3d, 0x01, 0x2e, 0x00, 0x00, 0x00, 0x75, 0x14, 0xc6, 0x05, 0xf8, 0x2d,
        0x00, 0x00, 0x01, 0x48, 0x8b, 0x3d, 0xf1, 0x2d, 0x00, 0x00, 0xff, 0x25, 0xab, 0x2d, 0x00, 0x00, 0xc3 } },
    { "decides by what may change", OWN, false, .code = { 0x48, 0x8b, 0x05, 0xf9, 0x2d, 0x00, 0x00, 0x48, 0x85, 0xc0, 0x74, 0x00, 0xc3 } },
    { "compares what may change", OWN, false, .code = { 0x48, 0x83, 0x3d, 0xf8, 0x2d, 0x00, 0x00, 0x00, 0x74, 0x00, 0xc3 } },
    { "decides by an argument", OWN, false, .code = { 0x48, 0x85, 0xff, 0x74, 0x00, 0xc3 } },
    { "decides by nothing", OWN, false, .code = { 0x74, 0x00, 0xc3 } },
    { "a copy of what may change", OWN, false, .code = { 0x48, 0x8b, 0x05, 0xf9, 0x2d, 0x00, 0x00, 0x48, 0x89, 0xc1, 0x48, 0x85, 0xc9, 0x74, 0x00, 0xc3 } },
    { "xor of itself is zero", OWN, true, .code = { 0x31, 0xc0, 0x85, 0xc0, 0x74, 0x01, 0xf4, 0xc3 } },
    { "clears half, tests half", OWN, true, .code = { 0x48, 0x8d, 0x05, 0x00, 0x00, 0x00, 0x00, 0x48, 0xc1, 0xe8, 0x1c, 0x83, 0xe8, 0x01, 0x74, 0x01, 0xf4,
        0xc3 } },                     /* 0x10005207 >> 28 is 1 */
    { "halts", OWN, false, .code = { 0xf4, 0xc3 } },
    { "reads elsewhere", OWN, false, .code = { 0x48, 0x8b, 0x05, 0x00, 0x00, 0x00, 0x10, 0xc3 } },
    { "writes through a register", OWN, false, .code = { 0x48, 0x89, 0x07, 0xc3 } },
    { "moves the stack", OWN, false, .code = { 0x48, 0x89, 0xec, 0xc3 } },
    { "calls elsewhere with an address", OWN, true, 0, ELSEWHERE, FLAG, 0, .code = { 0x50, 0x48, 0x8d, 0x3d, 0x00, 0x2e, 0x00, 0x00, 0xff, 0x15, 0xba,
        0x2d, 0x00, 0x00, 0x58, 0xc3 } },
    { "goes elsewhere with an address", OWN, true, 0, ELSEWHERE, FLAG, 0, .code = { 0x48, 0x8d, 0x3d, 0x01, 0x2e, 0x00, 0x00, 0xff, 0x25, 0xbb, 0x2d, 0x00,
        0x00 } },
    { "calls elsewhere twice", OWN, false, .code = { 0x48, 0x8d, 0x3d, 0x01, 0x2e, 0x00, 0x00, 0xff, 0x15, 0xbb, 0x2d, 0x00, 0x00, 0xff, 0x15, 0xb5, 0x2d,
        0x00, 0x00, 0xc3 } },
    { "decides by an answer", OWN, false, .code = { 0x48, 0x8d, 0x3d, 0x01, 0x2e, 0x00, 0x00, 0xff, 0x15, 0xbb, 0x2d, 0x00, 0x00, 0x85, 0xc0, 0x74, 0x00,
        0xc3 } },
    { "calls itself", OWN, false, .code = { 0xe8, 0xfb, 0xff, 0xff, 0xff, 0xc3 } },
    { "calls nothing", OWN, false, .code = { 0x31, 0xff, 0x31, 0xc0, 0xff, 0xd0, 0xc3 } },          /* at 0: the process ends */
    { "goes to nothing", OWN, false, .set = FINALIZE, .code = { 0x31, 0xff, 0xff, 0x25, 0xc0, 0x2d, 0x00, 0x00 } },
    { "reads the shadow stack's pointer", OWN, false, .code = { 0x31, 0xc0, 0xf3, 0x48, 0x0f, 0x1e, 0xc8, 0x48, 0x85, 0xc0, 0x74, 0x01, 0xf4, 0xc3 } },
    { "15 bytes", OWN, true, .code = { [0 ... 13] = 0x66, 0x90, 0xc3 } },
    { "16 bytes: a fault", OWN, false, .code = { [0 ... 14] = 0x66, 0x90, 0xc3 } },
    { "a narrow call", OWN, false, .code = { 0x66, 0xe8, 0x00, 0x00, 0x00, 0x00, 0xc3 } },
};

static struct memory memory_of(const u8 *code, u64 len)
{
    struct memory memory = { .got = { ELSEWHERE } };
    memcpy(memory.text, start_files, sizeof start_files);
    memcpy(memory.text + (OWN - TEXT), code, len);
    memcpy(memory.data, &(u64){ HANDLE }, 8);
    return memory;
}

static void comes_to(void **state)
{
    const struct row *row = *state;
    struct memory memory = memory_of(row->code, sizeof row->code);
    if (row->set >= DATA)
        memcpy(memory.data + (row->set - DATA), &row->value, 8);
    else if (row->set)
        memory.got[(row->set - GOT) / 8] = row->value;
    const struct code_reader reader = { &memory, read_memory };
    struct code_outcome outcome;
    assert_int_equal(arch_outcome(&reader, row->function, &outcome), row->known);
    if (!row->known)
        return;
    assert_int_equal(outcome.flag, row->flag);
    assert_int_equal(outcome.called, row->called);
    assert_int_equal(outcome.argument, row->argument);
    assert_int_equal(outcome.argument_at, row->argument_at);
}

/* Whatever the bytes are: no read outside them (the sanitizers look), an end, and one of the shapes that an outcome can have. */
static void any_bytes_end(void **state)
{
    (void)state;
    static const u8 likely[] = { 0x48, 0x0f, 0x83, 0x8b, 0x05, 0x3d, 0xc3, 0x55, 0x5d, 0xe8, 0xff, 0x74, 0x80, 0xc6, 0x85, 0x89, 0x00, 0xf3 };
    u64 random = 88172645463325252ull, known = 0;
    for (u32 round = 0; round < 200000; round++) {
        u8 code[48];
        for (u32 i = 0; i < sizeof code; i++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            code[i] = random & 0x100 ? likely[random % sizeof likely] : (u8)random;
        }
        struct memory memory = memory_of(code, sizeof code);
        const struct code_reader reader = { &memory, read_memory };
        struct code_outcome outcome;
        u64 function = round % 16 ? OWN : TEXT_END - 1 - round % 7;
        if (!arch_outcome(&reader, function, &outcome))
            continue;
        known++;
        assert_true(!outcome.flag || (outcome.flag >= DATA && outcome.flag < DATA + sizeof memory.data));
        assert_true(outcome.called || (!outcome.argument && !outcome.argument_at));
    }
    assert_true(known > 1000);        /* else nothing was tried */
}

int main(void)
{
    ROWS(rows, comes_to);
    TEST(any_bytes_end);
    return tests_run("outcome");
}
