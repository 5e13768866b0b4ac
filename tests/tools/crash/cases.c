/* cases.c - one way to die for each word; crash.sh knows the line of each by the comment that stands on it. */
#define _GNU_SOURCE
#include <assert.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct node { struct node *next; char pad[40]; int value; };
extern void not_there(void) __attribute__((weak));
extern int from_library(int);
extern int other_from_library(int);

const char *const names[] = { "one", "two", "three" };           /* relocated, so in .data.rel.ro */
char buffer[64] __attribute__((aligned(16))) = { (char)0xc3 };     /* would be a ret */
const int constants[] = { 1, 2, 3 };
static volatile int zero;
static struct node *volatile nothing;
static int depth;
static sigjmp_buf back;

__attribute__((noinline)) static int read_null(void) { return nothing->value; } /* LINE null */
__attribute__((noinline)) static void write_relro(void) { *(const char *volatile *)&names[1] = "x"; } /* LINE relro */
__attribute__((noinline)) static void write_code(void) { *(volatile char *)read_null = 1; } /* LINE code */
__attribute__((noinline)) static void write_constant(void) { *(volatile int *)&constants[1] = 1; } /* LINE constant */
__attribute__((noinline)) static void jump_to_data(void) { ((void (*)(void))buffer)(); __asm__ volatile(""); } /* LINE nx */
__attribute__((noinline)) static void call_null(void) { void (*volatile f)(void) = NULL; f(); __asm__ volatile(""); } /* LINE nullcall */
__attribute__((noinline)) static void call_weak(void) { not_there(); __asm__ volatile(""); } /* LINE weak */
__attribute__((noinline)) static int recurse(int n) { volatile char room[512]; room[0] = (char)n; return recurse(n + 1) + room[0] + depth; } /* LINE stack */
__attribute__((noinline)) static int divide(int n) { return n / zero; } /* LINE fpe */
__attribute__((noinline)) static void trap(void) { __builtin_trap(); } /* LINE ill */
__attribute__((noinline)) static void fail_assert(int n) { assert(n > 2 && "too small"); } /* LINE assert */
__attribute__((noinline)) static void free_twice(void) { void *volatile p = malloc(40); free(p); free(p); __asm__ volatile(""); } /* LINE free */
static volatile long overrun_len = 16 << 20;
char *volatile block;
__attribute__((noinline)) static void overrun(void) { block = malloc(100); memset(block, 1, (size_t)overrun_len); printf("\n"); } /* LINE heap */
__attribute__((noinline)) static unsigned long strlen_null(const char *volatile text) { return strlen(text) + 1; } /* LINE strlen */
__attribute__((noinline)) static void shellcode(void) { volatile char code[16] = { (char)0xc3 }; ((void (*)(void))code)(); code[0] = 1; } /* LINE shellcode */
__attribute__((noinline, optimize("no-stack-protector"))) static void overwrite(unsigned long word) {
    volatile unsigned long room[2] = { word, word }, *volatile at = room;
    for (int i = 0; i < 12; i++) if (at[i] == (unsigned long)__builtin_return_address(0)) { at[i] = word; break; } /* LINE overwrittenall */
}
static int in_clone(void *arg) { (void)arg; usleep(1000); _exit(5); }
__attribute__((noinline)) static void call_abort(void) { abort(); } /* LINE abort */
__attribute__((noinline)) static void non_canonical(void) { *(volatile int *)0x1234567890abcdef = 1; } /* LINE noncanonical */
__attribute__((noinline)) static void call_non_canonical(void) { void (*volatile f)(void) = (void (*)(void))0x4141414141414141; f(); __asm__ volatile(""); } /* LINE callnoncanonical */
__attribute__((noinline)) static int overflowing_division(int n) { return n / (zero - 1); } /* LINE intmin */

/* calls of a wrong pointer, with what a call before them left below the stack pointer: the pointer too, as a saved register */
#define LEFT "push %0\n\tpush %0\n\tpop %%rcx\n\tpop %%rcx\n\t"
static unsigned long pointer(void) { return strtoul(getenv("POINTER"), NULL, 0); }
__attribute__((noinline)) static void call_register(void) {
    __asm__ volatile(LEFT "mov %0, %%r11\n\tcall *%%r11" : : "a"(pointer()) : "rcx", "r11", "memory"); /* LINE register */
}
__attribute__((noinline)) static void call_memory(void) {
    unsigned long table[4] = { 0, 0, pointer(), 0 };
    __asm__ volatile(LEFT "xor %%eax, %%eax\n\tcall *-8(%1, %2, 8)" : : "a"(table[2]), "r"(table), "r"(3ul) : "rcx", "memory"); /* LINE memory */
}
__attribute__((noinline)) static void call_stack(void) {
    __asm__ volatile("push %0\n\t" LEFT "push %%rcx\n\tmov %%rcx, %0\n\txor %%ecx, %%ecx\n\tcall *8(%%rsp)" : : "a"(pointer()) : "rcx", "memory"); /* LINE stackcall */
}
__attribute__((noipa)) static int inner(int a) { return a; }
__attribute__((noipa)) static int saves(int a) { return inner(a) + a; }
__attribute__((noipa)) static int call_pointer(int (*f)(void)) { saves(1); return f() + 1; } /* LINE pointer */

/* one frame larger than the stack, touched at its low end, and from its high end down */
__attribute__((noipa)) static int large(void) { volatile char room[16 << 20]; room[8] = 1; return room[8]; } /* LINE large */
__attribute__((noipa)) static int downwards(void) {
    volatile char room[16 << 20];
    for (size_t i = sizeof room; i-- > 0;) room[i] = 1; /* LINE downwards */
    return room[8];
}

static void truncated(void) {
    char name[] = "/tmp/ldr-crash-XXXXXX";
    int fd = mkstemp(name);
    if (fd < 0 || ftruncate(fd, 3 * 4096) != 0) exit(9);
    volatile char *at = mmap(NULL, 3 * 4096, PROT_READ, MAP_SHARED, fd, 0);
    unlink(name);
    if (ftruncate(fd, 100) != 0) exit(9);
    zero = at[2 * 4096]; /* LINE bus */
}

static void unmapped(void) {
    /* two pages apart from others, the second given back */
    volatile char *at = mmap(NULL, 64 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap((void *)(at + 4096), 62 * 4096);
    at[20 * 4096] = 1; /* LINE unmap */
}

static void closed(void) {
    void *library = dlopen("libplugin.so", RTLD_NOW);
    int (*function)(int) = library ? (int (*)(int))dlsym(library, "plugin_function") : NULL;
    if (!function) { fprintf(stderr, "%s\n", dlerror()); exit(9); }
    int first = function(1);
    dlclose(library);
    printf("%d\n", first + function(2)); /* LINE dlclose */
}

extern char slot_of_from_library[];
static void clobber(void) {
    /* the instruction at the PLT entry, or the call itself, names the word */
    void **slot = NULL;
    zero = from_library(1);
    const unsigned char *code = (const unsigned char *)clobber;
    for (int i = 0; i < 400 && !slot; i++)
        if (code[i] == 0xe8) {
            const unsigned char *plt = code + i + 5 + *(const int *)(code + i + 1);
            for (int k = 0; k < 12 && !slot && plt > (unsigned char *)0x1000; k++)
                if (plt[k] == 0xff && plt[k + 1] == 0x25)
                    slot = (void **)(plt + k + 6 + *(const int *)(plt + k + 2));
        }
    if (!slot) exit(9);
    *slot = (void *)(getenv("CLOBBER") ? strtoul(getenv("CLOBBER"), NULL, 0) : (unsigned long)buffer);
    zero = from_library(2); /* LINE clobber */
}

__attribute__((noinline)) static void smash(const char *text) {
    char room[16];
    char *volatile to = room;
    for (int i = 0; i < 60; i++) to[i] = text[i];
    __asm__ volatile("" : : "r"(room) : "memory");
} /* LINE smash */

static void *in_thread(void *arg) { (void)arg; pthread_setname_np(pthread_self(), "worker"); return (void *)(long)read_null(); } /* LINE thread */
static void *deep_thread(void *arg) { return (void *)(long)recurse((int)(long)arg); }
static void *nothing_in_thread(void *arg) { return arg; }
static void *large_thread(void *arg) { (void)arg; return (void *)(long)large(); }
static void start(void *(*function)(void *)) {
    pthread_t thread;
    pthread_create(&thread, NULL, function, NULL);
    pthread_join(thread, NULL);
}

/* after more threads than the watcher stops at their start */
static void many(void) { for (int i = 0; i < 1000; i++) start(nothing_in_thread); }
static void *late_thread(void *arg) { usleep(300000); return in_thread(arg); }
static void *becoming_thread(void *arg) { execl("/proc/self/exe", "cases", "null", (char *)NULL); return arg; }

/* each thread makes the next one */
static int links, stopped;
static void *link_of_chain(void *arg) {
    struct rusage use;
    getrusage(RUSAGE_THREAD, &use);
    stopped += use.ru_nvcsw > 0;      /* it has waited before its first instruction */
    if (++links < 1000) start(link_of_chain);
    return arg;
}

/* execve again and again amid 200 threads, the last of them found just now; then a null pointer */
static void *forever(void *arg) { for (;;) pause(); return arg; }
static void become(int times) {
    char next[16];
    snprintf(next, sizeof next, "%d", times - 1);
    for (int i = 0; times && i < 200; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, forever, NULL);
    }
    usleep((useconds_t)(times % 8 * 1000));
    if (times)
        execl("/proc/self/exe", "cases", "becoming", next, (char *)NULL);
    read_null();
}

/* two threads at one moment; whose signal wins is the kernel's choice */
static pthread_barrier_t together;
static void *null_together(void *arg) { pthread_barrier_wait(&together); read_null(); return arg; }
static void *trap_together(void *arg) { pthread_barrier_wait(&together); trap(); return arg; }
static void crash_together(void) {
    pthread_t threads[2];
    pthread_barrier_init(&together, NULL, 2);
    pthread_create(&threads[0], NULL, null_together, NULL);
    pthread_create(&threads[1], NULL, trap_together, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
}

static void recover(int number) { (void)number; siglongjmp(back, 1); }
static void raise_again(int number) { signal(number, SIG_DFL); raise(number); }
static void default_again(int number) { signal(number, SIG_DFL); }
static void handler(void (*function)(int), int flags) {
    static char other[65536];
    stack_t stack = { .ss_sp = other, .ss_size = sizeof other };
    struct sigaction action = { .sa_handler = function, .sa_flags = flags };
    sigaltstack(&stack, NULL);
    sigaction(SIGSEGV, &action, NULL);
}

/* a program that lives of its signals */
enum { STORM = 20000 };
static void storm(void) {
    struct rusage use;
    handler(recover, SA_NODEFER);
    for (volatile int i = 0; i < STORM; i++)
        if (!sigsetjmp(back, 0)) read_null();
    getrusage(RUSAGE_THREAD, &use);
    printf("%ld of %d stopped\n", use.ru_nvcsw, STORM);
    fflush(stdout);
    signal(SIGSEGV, SIG_DFL);
}
static void *storm_thread(void *arg) { storm(); return in_thread(arg); }

/* threads that get signals all the time, the first one among them or not, and another one that gets its first and last */
static void noticed(int number) { (void)number; }
static void *raising(void *arg) { for (;;) raise(SIGUSR1); return arg; }
static void amid_signals(int threads, void *(*first)(void *)) {
    pthread_t thread;
    signal(SIGUSR1, noticed);
    for (int i = 0; i < threads; i++) pthread_create(&thread, NULL, raising, NULL);
    pthread_create(&thread, NULL, late_thread, NULL);
    first(NULL);
}

/* 20 threads wait where they have handled the signal that another one dies of, so young that nobody watches it */
static void *abort_in_thread(void *arg) { call_abort(); return arg; }
static void abort_amid_waiting(void) {
    pthread_t threads[20];
    signal(SIGABRT, noticed);
    for (int i = 0; i < 20; i++) pthread_create(&threads[i], NULL, forever, NULL);
    usleep(200000);
    for (int i = 0; i < 20; i++) pthread_kill(threads[i], SIGABRT);
    usleep(100000);
    start(abort_in_thread);
}

__attribute__((noinline)) static void store_vector(void) {
    __asm__ volatile("movups %%xmm0, (%0)" : : "r"(constants) : "memory"); /* LINE vector */
}
static char *page;
static void make_readable(int number) {
    signal(number, SIG_DFL);
    mprotect(page, 4096, PROT_READ);
    raise(number);
}
static void map_it(int number) {
    signal(number, SIG_DFL);
    mmap(page, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    raise(number);
}
__attribute__((noinline)) static void write_unmapped(void) {
    page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(page, 4096);
    signal(SIGSEGV, map_it);
    *(volatile char *)page = 1; /* LINE mapped */
}
__attribute__((noinline)) static int read_forbidden(void) {
    page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    signal(SIGSEGV, make_readable);
    return *(volatile char *)page; /* LINE readable */
}

int main(int argc, char **argv) {
    const char *how = argc > 1 ? argv[1] : "";
    printf("start %s\n", how);
    fflush(stdout);
#define CASE(name, what) if (strcmp(how, name) == 0) { what; }
    CASE("null", return read_null())
    CASE("relro", write_relro())
    CASE("code", write_code())
    CASE("constant", write_constant())
    CASE("heap", overrun())
    CASE("readable", return read_forbidden())
    CASE("vector", store_vector())
    CASE("mapped", write_unmapped())
    CASE("main", *(volatile int *)NULL = 1) /* LINE main */
    CASE("nx", jump_to_data())
    CASE("nullcall", call_null())
    CASE("weak", call_weak())
    CASE("stack", return recurse(0))
    CASE("bus", truncated())
    CASE("unmap", unmapped())
    CASE("dlclose", closed())
    CASE("clobber", clobber())
    CASE("fpe", return divide(argc))
    CASE("intmin", return overflowing_division((int)0x80000000))
    CASE("ill", trap())
    CASE("assert", fail_assert(argc))
    CASE("abort", call_abort())
    CASE("free", free_twice())
    CASE("strlen", return (int)strlen_null(NULL))
    CASE("shellcode", shellcode())
    CASE("overwritten", overwrite(0x414141414141))
    CASE("overwrittenall", overwrite(0x4141414141414141))
    CASE("clone", static char room[65536]; int status; int made = clone(in_clone, room + sizeof room, CLONE_FS, NULL); waitpid(made, &status, __WALL); return WEXITSTATUS(status))
    CASE("noncanonical", non_canonical())
    CASE("callnoncanonical", call_non_canonical())
    CASE("smash", smash("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"))
    CASE("thread", start(in_thread))
    CASE("threadstack", start(deep_thread))
    CASE("raise", handler(raise_again, 0); read_null())
    CASE("raisealt", handler(raise_again, SA_ONSTACK); read_null())
    CASE("again", handler(default_again, 0); read_null())
    CASE("stackhandler", handler(recover, 0); return recurse(0))
    CASE("ignored", signal(SIGSEGV, SIG_IGN); read_null())
    CASE("threads", many(); return 0)
    CASE("survivor", pthread_t thread; pthread_create(&thread, NULL, in_thread, NULL); usleep(100000); puts("all is well"); return 0)
    CASE("youngthread", many(); start(in_thread))
    CASE("oldthread", many(); start(late_thread))
    CASE("becomingthread", many(); start(becoming_thread))
    CASE("manynull", many(); read_null())
    CASE("chain", start(link_of_chain); printf("%d of %d stopped\n", stopped, links); return 0)
    CASE("becoming", become(argc > 2 ? atoi(argv[2]) : 8))
    CASE("storm", storm(); return 0)
    CASE("stormquiet", storm(); usleep(300000); read_null())
    CASE("stormnull", storm(); read_null())
    CASE("stormthread", start(storm_thread))
    CASE("stormfirst", amid_signals(0, raising))
    CASE("stormothers", amid_signals(40, forever))
    CASE("waiting", abort_amid_waiting())
    CASE("together", crash_together())
    CASE("register", call_register())
    CASE("memory", call_memory())
    CASE("stackcall", call_stack())
    CASE("pointer", return call_pointer((int (*)(void))pointer()))
    CASE("large", return large())
    CASE("downwards", return downwards())
    CASE("largethread", start(large_thread))
    CASE("killabort", kill(getpid(), SIGABRT); pause())
    CASE("raiseabort", raise(SIGABRT))
    CASE("kill", kill(getpid(), SIGSEGV); pause())
    CASE("term", raise(SIGTERM))
    CASE("recover", handler(recover, SA_NODEFER); for (volatile int i = 0; i < 3; i++) if (!sigsetjmp(back, 1)) read_null(); else puts("recovered"); return 7)
    CASE("ignoredabort", signal(SIGABRT, SIG_IGN); raise(SIGABRT); puts("went on"); return 6)
    CASE("child", if (fork() == 0) read_null(); sleep(1); puts("parent"); return 5)
    return 3;
}
