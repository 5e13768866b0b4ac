/* outcome_truth.c - what arch_outcome says of a function against what the processor does with it.
 *
 * Random functions (outcome_code.c) are carried out on paper. Each that is said to be known is called, twice: with the memory as it was looked at, then
 * with other data; registers, flags and stack of the caller are random. It must return with the stack as it was, without a signal, having written
 * nothing but its flag and called nobody but the one function, with the argument that was said. Registers that a caller may expect to find again are not
 * compared: a function that breaks them is not a compiler's, and which those are arch_outcome need not know.
 *
 * What a wrong answer lets run may do anything: it runs in a child, on a stack of its own, without system calls, and for a limited time.
 *
 *   outcome_truth [COUNT [FIRST]]    functions are numbered, each number is the same function always; without arguments as `make unit` runs it */
#include "outcome_code.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <cmocka.h>

enum { PAGE = 4096, CALLS = ELSEWHERE + PAGE, STACK = 0x30000000, STACK_SIZE = 16 * PAGE, STACK_TOP = STACK + STACK_SIZE / 2 };
enum { TICK_US = 50000, TICKS_MOST = 4 };
enum { RSP = 4 };
/* From here on stands what runs generated code. */
#define GENERATED TEXT

/* Written by the functions elsewhere, at CALLS. */
struct calls { u64 count, who, argument, answer; };

/* What the child tells. */
struct result {
    u64 done, known, called, flagged;
    char skipped[200], difference[6000];
};
static struct result *result;
static u64 count = 1000000, first = 1;

/* The processor's registers by number. Of those that come back, the stack pointer. */
__attribute__((used)) static u64 entry_register[16], entry_flags, exit_stack, own_stack;
void enter(u64 function);
__asm__(".text\n"
        "enter:\n"
        "    push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "    mov %rsp, own_stack(%rip)\n"
        "    mov entry_register+8*4(%rip), %rsp\n"
        "    lea 1f(%rip), %rax\n"
        "    push %rax\n"
        "    push %rdi\n"
        "    push entry_flags(%rip); popf\n"
        "    mov entry_register+8*0(%rip), %rax;  mov entry_register+8*1(%rip), %rcx;  mov entry_register+8*2(%rip), %rdx\n"
        "    mov entry_register+8*3(%rip), %rbx;  mov entry_register+8*5(%rip), %rbp;  mov entry_register+8*6(%rip), %rsi\n"
        "    mov entry_register+8*7(%rip), %rdi;  mov entry_register+8*8(%rip), %r8;   mov entry_register+8*9(%rip), %r9\n"
        "    mov entry_register+8*10(%rip), %r10; mov entry_register+8*11(%rip), %r11; mov entry_register+8*12(%rip), %r12\n"
        "    mov entry_register+8*13(%rip), %r13; mov entry_register+8*14(%rip), %r14; mov entry_register+8*15(%rip), %r15\n"
        "    ret\n"
        "1:  mov %rsp, exit_stack(%rip)\n"
        "    mov own_stack(%rip), %rsp\n"
        "    cld\n"
        "    pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "    ret\n"
        /* The functions elsewhere are copies of this one: they note the call, and spoil the registers and flags that a call may spoil. */
        "elsewhere:\n"
        "    lea elsewhere(%rip), %rax\n"
        "    incq 0x20001000\n"
        "    mov %rax, 0x20001008\n"
        "    mov %rdi, 0x20001010\n"
        "    mov 0x20001018, %rax\n"
        "    mov %rax, %rcx; mov %rax, %rdx; mov %rax, %rsi; mov %rax, %rdi; mov %rax, %r8; mov %rax, %r9; mov %rax, %r10; mov %rax, %r11\n"
        "    test %rax, %rax\n"
        "    ret\n"
        "elsewhere_end:\n");
extern const u8 elsewhere[], elsewhere_end[];
_Static_assert(CALLS == 0x20001000 && offsetof(struct calls, who) == 8 && offsetof(struct calls, argument) == 16 && offsetof(struct calls, answer) == 24,
               "as the assembly above has them");

static sigjmp_buf after_signal;
static volatile sig_atomic_t running, caught;
static volatile u64 caught_at;

/* Every so often: a function that is still the same one was meant to end. */
static bool is_stuck(void)
{
    static u64 seen;
    static u32 ticks;
    ticks = seen == result->done ? ticks + 1 : 0;
    seen = result->done;
    return ticks >= TICKS_MOST;
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)info;
    if (number == SIGVTALRM && !is_stuck())
        return;
    if (!running) {                   /* not the function's doing: the parent tells of it */
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    running = 0;
    caught = number;
    caught_at = (u64)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    siglongjmp(after_signal, 1);
}

static void catch_signals(void)
{
    static u8 stack[16 * PAGE];
    static const int numbers[] = { SIGSEGV, SIGILL, SIGBUS, SIGTRAP, SIGFPE, SIGSYS, SIGVTALRM };
    sigaltstack(&(stack_t){ .ss_sp = stack, .ss_size = sizeof stack }, NULL);
    for (u32 i = 0; i < ARRAY_COUNT(numbers); i++)
        sigaction(numbers[i], &(struct sigaction){ .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER }, NULL);
    const struct timeval tick = { 0, TICK_US };
    setitimer(ITIMER_VIRTUAL, &(struct itimerval){ tick, tick }, NULL);
}

static bool skip_because(const char *what)
{
    snprintf(result->skipped, sizeof result->skipped, "%s: %s", what, strerror(errno));
    return false;
}

static bool map_at(u64 address, u64 len, int protection)
{
    void *want = (void *)address;
    void *got = mmap(want, len, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (got == want)
        return true;
    char what[80];
    if (got != MAP_FAILED)
        errno = EEXIST;               /* a kernel that does not know the flag took the address for a wish */
    snprintf(what, sizeof what, "no memory at %#" PRIx64 " for generated code", address);
    return skip_because(what);
}

/* System calls from addresses where generated code runs end with SIGSYS. */
static bool forbid_system_calls(void)
{
    const u32 ip = offsetof(struct seccomp_data, instruction_pointer);
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ip + 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ip),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, GENERATED, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
    };
    const struct sock_fprog program = { ARRAY_COUNT(filter), filter };
    return (!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) && !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) ||
           skip_because("no filter of system calls, without which generated code is not run");
}

static bool prepare(void)
{
    const int data = PROT_READ | PROT_WRITE, code = data | PROT_EXEC;
    if (!map_at(TEXT, PAGE, code) || !map_at(DATA - PAGE, 2 * PAGE, data) || !map_at(ELSEWHERE, PAGE, code) || !map_at(CALLS, PAGE, data) ||
        !map_at(STACK, STACK_SIZE, data) || !forbid_system_calls())
        return false;
    memset((void *)(u64)TEXT, 0xcc, PAGE);
    for (u32 i = 0; i < ELSEWHERE_COUNT; i++)
        memcpy((u8 *)(u64)ELSEWHERE + i * ELSEWHERE_SIZE, elsewhere, (size_t)(elsewhere_end - elsewhere));
    catch_signals();
    return true;
}

/* The pages of the object, and of the stack that of its caller, as they must be after a call. */
struct pages { u8 text[PAGE], words[2 * PAGE], stack[256]; };

static void fill_pages(struct pages *pages, const struct memory *memory)
{
    memcpy(pages->text, memory->text, sizeof memory->text);
    memcpy(pages->words + (GOT - (DATA - PAGE)), memory->got, sizeof memory->got);
    memcpy(pages->words + PAGE, memory->data, sizeof memory->data);
    memcpy((void *)(u64)TEXT, pages->text, sizeof memory->text);
    memcpy((u8 *)(u64)GOT, pages->words + (GOT - (DATA - PAGE)), sizeof memory->got + sizeof memory->data);
    memcpy((void *)(u64)STACK_TOP, pages->stack, sizeof pages->stack);
}

static bool pages_differ(const struct pages *pages)
{
    return memcmp((void *)(u64)TEXT, pages->text, PAGE) || memcmp((void *)(u64)(DATA - PAGE), pages->words, 2 * PAGE) ||
           memcmp((void *)(u64)STACK_TOP, pages->stack, sizeof pages->stack);
}

/* Whatever a caller may leave in registers, in flags (but for the direction flag: psABI) and on the stack. */
static void fill_registers(void)
{
    const u64 arithmetic_flags = 0x8d5;
    for (u32 i = 0; i < 16; i++)
        entry_register[i] = random_below(3) ? random_word() : random_below(2) ? 0 : DATA;
    entry_register[RSP] = STACK_TOP;
    entry_flags = 2 | (random_word() & arithmetic_flags);
    for (u64 *word = (u64 *)(u64)STACK_TOP - 32; word < (u64 *)(u64)STACK_TOP; word++)
        *word = random_word();
    *(struct calls *)(u64)CALLS = (struct calls){ .answer = random_below(3) ? random_word() : 0 };
}

static void run(u64 function)
{
    caught = 0;
    exit_stack = 0;
    if (sigsetjmp(after_signal, 0) == 0) {
        running = 1;
        enter(function);
        running = 0;
    }
}

/* NULL: the processor did what was said. */
static const char *compare(u64 function, const struct memory *memory, const struct code_outcome *outcome, u64 argument)
{
    static struct pages pages = { .text = { [0 ... PAGE - 1] = 0xcc }, .stack = { [0 ... 255] = 0x5a } };
    const struct calls *calls = (const struct calls *)(u64)CALLS;
    fill_pages(&pages, memory);
    fill_registers();
    if (outcome->flag)
        pages.words[outcome->flag - (DATA - PAGE)] = 1;
    run(function);
    if (caught)
        return caught == SIGVTALRM ? "does not end" : "gets a signal";
    if (exit_stack != STACK_TOP)
        return "moves the stack";
    if (calls->count != (outcome->called != 0) || calls->who != outcome->called)
        return "calls another";
    if (outcome->called && calls->argument != argument)
        return "has another argument";
    return pages_differ(&pages) ? "writes something else" : NULL;
}

static void tell(const char *format, ...)
{
    size_t len = strlen(result->difference);
    va_list list;
    va_start(list, format);
    vsnprintf(result->difference + len, sizeof result->difference - len, format, list);
    va_end(list);
}

static void tell_bytes(const char *name, const void *bytes, u64 len)
{
    while (len && ((const u8 *)bytes)[len - 1] == 0xcc)                     /* what a function does not fill */
        len--;
    tell("\n  %s", name);
    for (u64 i = 0; i < len; i++)
        tell(" %02x", ((const u8 *)bytes)[i]);
}

static void tell_difference(const char *what, u64 number, u64 function, const struct memory *memory, const struct code_outcome *outcome)
{
    const struct calls *calls = (const struct calls *)(u64)CALLS;
    tell("function %" PRIu64 " at %#" PRIx64 " %s (outcome_truth 1 %" PRIu64 " shows it again)\n", number, function, what, number);
    tell("  said: flag %#" PRIx64 ", called %#" PRIx64 ", argument %#" PRIx64 " from %#" PRIx64 "\n", outcome->flag, outcome->called, outcome->argument,
         outcome->argument_at);
    tell("  seen: signal %d at %#" PRIx64 ", stack pointer off by %" PRId64 ", %" PRIu64 " calls, of %#" PRIx64 " with %#" PRIx64, (int)caught, caught_at,
         (i64)(exit_stack - STACK_TOP), calls->count, calls->who, calls->argument);
    tell_bytes("own", memory->text + (OWN - TEXT), TEXT_END - OWN);
    tell_bytes("start files", memory->text, sizeof start_files);
    tell_bytes("GOT", memory->got, sizeof memory->got);
    tell_bytes("data", memory->data, sizeof memory->data);
}

/* Whether there is somebody to call: an address where nothing is would end the test, not the function. */
static bool can_run(const struct code_outcome *outcome)
{
    u64 into = outcome->called - ELSEWHERE;
    return !outcome->called || (into < ELSEWHERE_COUNT * ELSEWHERE_SIZE && into % ELSEWHERE_SIZE == 0);
}

static bool try_function(u64 number)
{
    static struct memory memory;
    const struct code_reader reader = { &memory, read_memory };
    struct code_outcome outcome;
    random_from(number);
    u64 function = code_make(&memory);
    if (!arch_outcome(&reader, function, &outcome) || !can_run(&outcome))
        return true;
    result->known++;
    result->called += outcome.called != 0;
    result->flagged += outcome.flag != 0;
    const char *what = compare(function, &memory, &outcome, outcome.argument);
    if (!what) {
        u64 argument = outcome.argument;
        code_change_data(&memory);
        if (outcome.flag)
            memory.data[outcome.flag - DATA] = 0;
        if (outcome.argument_at)
            memcpy(&argument, memory.data + (outcome.argument_at - DATA), 8);
        what = compare(function, &memory, &outcome, argument);
    }
    if (what)
        tell_difference(what, number, function, &memory, &outcome);
    return !what;
}

static void child(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (prepare())
        while (result->done < count && try_function(first + result->done))
            result->done++;
    _exit(0);
}

static void processor_does_what_is_said(void **unused)
{
    (void)unused;
    int status;
    result = mmap(NULL, sizeof *result, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(result != MAP_FAILED);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid)
        child();
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (result->skipped[0]) {
        printf("skip outcome_truth: %s\n", result->skipped);
        skip();
    }
    printf("%" PRIu64 " functions from %" PRIu64 ": %" PRIu64 " known, of which %" PRIu64 " call and %" PRIu64 " set a flag\n", result->done, first, result->known,
           result->called, result->flagged);
    if (result->difference[0])
        fail_msg("%s", result->difference);
    if (WIFSIGNALED(status))
        fail_msg("function %" PRIu64 ": the test itself ends with signal %d", first + result->done, WTERMSIG(status));
    assert_int_equal(result->done, count);
    if (count >= 10000) {             /* else nothing was tried */
        assert_true(result->known > count / 20);
        assert_true(result->called > count / 1000);
        assert_true(result->flagged > count / 1000);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1)
        count = strtoull(argv[1], NULL, 0);
    if (argc > 2)
        first = strtoull(argv[2], NULL, 0);
    const struct CMUnitTest tests[] = { cmocka_unit_test(processor_does_what_is_said) };
    return cmocka_run_group_tests_name("outcome_truth", tests, NULL, NULL);
}
