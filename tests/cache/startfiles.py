"""startfiles.py - a start from a record of a program with more libraries than it uses. Constructors and destructors that come to nothing are left
out, and only those: what programs print is what they print under the system's linker, in the cold start, the warm one and the verified one; and
a record says of which objects. Descriptors are closed many at a time: those of the program stay, and few are enough."""
import os, re, subprocess
from kit import *

# With a variable's initialiser, and the name of the function that sets it.
HOOKED = """#include <stdint.h>
#include <sys/mman.h>
extern void default_hook(void) __attribute__((weak));
__attribute__((section(".data.rel.ro"))) static void (*volatile hook)(void)%s;
void %s(void (*to)(void)) {
    void *page = (void *)((uintptr_t)&hook & -4096ul);
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
    hook = to;
    mprotect(page, 4096, PROT_READ);
}
__attribute__((destructor)) static void end(void) { if (hook) hook(); }"""
# Each library: source, and what its record must say is left out: bits (1 constructors, 2 destructors), and whether __cxa_finalize is still called.
LIBRARIES = {
    "plain": ("int plain(void) { return 1; }", 3, True),
    "constructs": ("static int n; int constructs(void) { return n; } __attribute__((constructor)) static void go(void) { n = 7; }", 2, True),
    # As __do_global_dtors_aux, but somebody else reads the byte; the watcher's destructor comes later.
    "resembles": ("""void watch(const char *name, const char *at);
        static char done;
        __attribute__((constructor)) static void begin(void) { watch("done", &done); }
        __attribute__((destructor)) static void end(void) { if (done) return; done = 1; }""", 0, False),
    "watcher": ("""#include <stdio.h>
        static const char *name, *at;
        void watch(const char *n, const char *a) { name = n; at = a; }
        __attribute__((destructor)) static void end(void) { printf("%s %d\\n", name, *at); fflush(stdout); }""", 1, False),
    # Registered for this library while others' destructors run, so that only __cxa_finalize of it calls it.
    "late": ("""#include <stdio.h>
        int __cxa_atexit(void (*)(void *), void *, void *);
        extern void *__dso_handle;
        static void last(void *text) { printf("late: %s\\n", (char *)text); fflush(stdout); }
        void at_the_end(char *text) { __cxa_atexit(last, text, &__dso_handle); }""", 3, True),
    "asks_late": ("""void at_the_end(char *);
        __attribute__((destructor)) static void end(void) { at_the_end("registered by a destructor"); }""", 1, False),
    "unused": ("int unused(void) { return 1; }", 3, True),
    # Decides by a variable behind RELRO, which it writes all the same: one that is 0 at first, one that a symbol's relocation wrote, a constant.
    "hooked": (HOOKED % ("", "set_hook"), 1, False),
    "defaults": (HOOKED % (" = default_hook", "set_default"), 1, False),
    "armed": ("""#include <stdint.h>
        #include <sys/mman.h>
        #include <unistd.h>
        __asm__(".section .rodata.armed,\\"a\\"\\n.balign 4096\\nis_armed: .fill 4096\\n.previous");
        __attribute__((visibility("hidden"))) extern const int is_armed;
        void arm(void) {
            mprotect((void *)&is_armed, 4096, PROT_READ | PROT_WRITE);
            *(volatile int *)(uintptr_t)&is_armed = 1;
            mprotect((void *)&is_armed, 4096, PROT_READ);
        }
        __attribute__((destructor)) static void end(void) { if (*(const volatile int *)&is_armed) write(1, "armed\\n", 6); }""", 1, False),
    "hooks": ("""#include <stdio.h>
        void set_hook(void (*)(void)), set_default(void (*)(void)), arm(void);
        static void run(void) { puts("hook"); fflush(stdout); }
        __attribute__((constructor)) static void begin(void) { set_hook(run); set_default(run); arm(); }""", 2, True),
    # An entry of the table of transactional clones: register_tm_clones has something to register, if somebody wants it.
    "transactions": ('__asm__(".section .tm_clone_table,\\"aw\\"\\n.quad 0, 0\\n.previous"); int transactions(void) { return 1; }', 3, True),
}
NEEDS = {"resembles": ["watcher"], "asks_late": ["late"], "hooks": ["hooked", "defaults", "armed"]}
PROGRAM = """#include <fcntl.h>
#include <stdio.h>
int plain(void), constructs(void), transactions(void);
#ifdef PROFILER
int begun; void __gmon_start__(void) { begun++; }
#endif
#ifdef CLONES
int registered, gone;
void _ITM_registerTMCloneTable(void *table, unsigned long n) { registered += n > 0; }
void _ITM_deregisterTMCloneTable(void *table) { gone++; printf("gone %d\\n", gone); fflush(stdout); }
#endif
int main(void) {
    printf("%d %d %d", plain(), constructs(), transactions());
#ifdef PROFILER
    printf(" begun %d", begun);
#endif
#ifdef CLONES
    printf(" registered %d", registered);
#endif
    for (int fd = 0; fd < 80; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            printf(" %d", fd);
    puts("");
    return 0;
}"""
FINALIZER = """#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>
void __cxa_finalize(void *of) { write(1, "finalizer\\n", 10); ((void (*)(void *))dlsym(RTLD_NEXT, "__cxa_finalize"))(of); }"""
# FILTER COMMAND...: close_range(2), younger than many a filter, ends the process.
FILTER = """#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <unistd.h>
int main(int argc, char **argv) {
    struct sock_filter filter[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 436, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
    struct sock_fprog program = { 4, filter };
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) || execv(argv[1], argv + 1);
}"""
READER = f"""#include <stdio.h>
#include "{HERE}/../../ldr/cache/format.h"
static char all[1 << 20];
int main(int argc, char **argv) {{
    FILE *f = fopen(argv[1], "r");
    fread(all, 1, sizeof all, f);
    const struct record_head *head = (void *)all;
    const struct record_object *object = (void *)(all + head->objects);
    for (unsigned i = 0; i < head->object_count; i++)
        printf("%s %d %d %d %d\\n", all + object[i].real_path, object[i].used, object[i].kind, object[i].idle, object[i].dso_handle != 0);
    return 0;
}}"""


def build(where, name, source, *flags):
    out = os.path.join(where, name)
    subprocess.run(["gcc", "-w", "-O1", "-x", "c", "-", "-x", "none", "-o", out, *flags], input=source.encode(), check=True)
    return out


def left_out(reader, cache):
    """{library: (bits, finalized)} of the one record there, and the names of those used."""
    lines = run([reader, os.path.join(cache, records(cache)[0])])[1].splitlines()
    found, used = {}, set()
    for line in lines:
        path, is_used, kind, bits, finalized = line.rsplit(" ", 4)
        name = re.match(r"lib(\w+)\.so$", os.path.basename(path))
        if name and name[1] in LIBRARIES:
            check(f"{name[1]} comes from an image", kind == "0", line)
            found[name[1]] = (int(bits), finalized == "1")
            used |= {name[1]} if is_used == "1" else set()
    return found, used


def three_starts(name, program, env):
    """Against the system's linker: recorded, from the record, verified. Returns the cache's directory."""
    cache = os.path.join(os.path.dirname(program), "cache-" + name.replace(" ", "-"))
    os.mkdir(cache, 0o700)
    right = run([SYSTEM, program], env)
    for state in ("now", "require", "verify", "require"):
        equal(f"{name}: {state}", run([LDSO, program], {**env, "LDR_CACHE": state, "LDR_CACHE_DIR": cache}), right)
    return cache, right


def faults_of(command, env):
    """Minor faults of the least of three starts."""
    counts = []
    for _ in range(3):
        child = subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL)
        counts.append(os.wait4(child.pid, 0)[2].ru_minflt)
        child.returncode = 0
    return min(counts)


with workshop() as (where, parts):
    for name, (source, _, _) in sorted(LIBRARIES.items(), key=lambda item: item[0] in NEEDS):
        build(where, f"lib{name}.so", source, "-shared", "-fPIC", f"-L{where}", *(f"-l{n}" for n in NEEDS.get(name, [])), f"-Wl,-rpath,{where}")
    link = ["-rdynamic", "-Wl,--no-as-needed", f"-L{where}", f"-Wl,-rpath,{where}", *(f"-l{name}" for name in LIBRARIES)]
    reader = build(where, "reader", READER)
    expected = {name: (bits, finalized) for name, (_, bits, finalized) in LIBRARIES.items()}

    program = build(where, "prog", PROGRAM, *link)
    time.sleep(YOUNG)
    cache, right = three_starts("plain start", program, {})
    check("all of it was printed", right[1] == "1 7 1 0 1 2\ndone 1\nlate: registered by a destructor\narmed\nhook\nhook\n", right)
    found, used = left_out(reader, cache)
    equal("what is left out", found, expected)
    equal("who is used: by the program, by constructors, by destructors", used, set(LIBRARIES) - {"unused"})
    for more in ("", "5</dev/null", "7</dev/null 9</dev/null", "6</dev/null 7</dev/null 8</dev/null 10</dev/null 70</dev/null"):
        for limit in (10, 12, 14, 1024):
            shell = f'eval "exec {more}"; ulimit -n {limit}; exec "$@"'
            starts = [run(["bash", "-c", shell, "-", linker, program], {"LDR_CACHE": "require", "LDR_CACHE_DIR": cache}) for linker in (SYSTEM, LDSO)]
            equal(f"descriptors {more or 'none'}, {limit} at most", starts[1], starts[0])
    trace = os.path.join(where, "trace")
    run([LDSO, program], {"LDR_CACHE": "require", "LDR_CACHE_DIR": cache, "LDR_TRACE": trace})
    told = run([LDR, "trace", "--read", trace, "-e", "constructor,destructor"])[1]
    check("who traces sees every constructor called", "libplain.so" in told, told)

    # A word of the GOT that is not 0: _init of every library calls the profiler, register_tm_clones of one the program.
    program = build(where, "profiled", PROGRAM, "-DPROFILER", *link)
    time.sleep(YOUNG)
    cache, right = three_starts("a profiler", program, {})
    check("the profiler was begun by libraries", int(right[1].split("begun ")[1].split()[0]) > len(LIBRARIES), right)
    equal("their constructors are not left out", {bits & 1 for bits, _ in left_out(reader, cache)[0].values()}, {0})
    program = build(where, "cloned", PROGRAM, "-DCLONES", *link)
    time.sleep(YOUNG)
    cache, right = three_starts("transactional clones", program, {})
    check("one table was registered, and was gone at the end", "registered 1" in right[1] and "gone 1" in right[1], right)
    equal("what is left out of that", left_out(reader, cache)[0], {**expected, "transactions": (0, False)})

    # As many that none is of use: a filter of system calls, and who asks for statistics.
    names = [f"spare{i}" for i in range(24)]
    for name in names:
        build(where, f"lib{name}.so", LIBRARIES["unused"][0], "-shared", "-fPIC")
    program, filtered = build(where, "many", "int main(void) { return 7; }", "-Wl,--no-as-needed", f"-L{where}", f"-Wl,-rpath,{where}", *(f"-l{n}" for n in names)), build(where, "filter", FILTER)
    time.sleep(YOUNG)
    cache, right = three_starts("many libraries", program, {})
    equal("a filter that knows no young system call", [run([filtered, linker, program], {"LDR_CACHE": "require", "LDR_CACHE_DIR": cache}) for linker in (SYSTEM, LDSO)], [right] * 2)
    warm = {"LDR_CACHE": "require", "LDR_CACHE_DIR": cache}
    faults = {name: faults_of([LDSO, program], {**warm, **more}) for name, more in
              (("", {}), ("statistics", {"LD_DEBUG": "statistics"}), ("cache", {"LD_DEBUG": "cache"}), ("trace", {"LDR_TRACE": os.path.join(where, "trace")}))}
    check("a start that is measured, or tells of the cache, calls no more; one that is traced calls everything",
          max(faults["statistics"], faults["cache"]) < faults[""] + len(names) < faults["trace"], faults)

    # A finalizer that is not the C library's.
    preload = build(where, "finalizer.so", FINALIZER, "-shared", "-fPIC")
    time.sleep(YOUNG)
    cache, right = three_starts("another finalizer", os.path.join(where, "prog"), {"LD_PRELOAD": preload})
    check("it was called for many", right[1].count("finalizer") >= len(LIBRARIES), right)
    equal("their destructors are not left out", {bits & 2 for bits, _ in left_out(reader, cache)[0].values()}, {0})
finish()
